package io.xfuser.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnresolvedModelServerException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class XfuserImageModelTest {
  private static final Path FIXTURES = Path.of("../../xfuser-models/src/test/resources/fixtures");

  @SuppressWarnings("NullAway.Init")
  private static XDiTParallel prompts;

  @SuppressWarnings("NullAway.Init")
  private static XDiTParallel editing;

  @BeforeAll
  static void open() {
    prompts = XDiTParallel.inProcess(EngineConfig.of(FIXTURES.resolve("pixart_sigma_tiny")));
    editing = XDiTParallel.inProcess(EngineConfig.of(FIXTURES.resolve("flux_dev_tiny")));
  }

  @AfterAll
  static void close() {
    prompts.close();
    editing.close();
  }

  private static XfuserImageModel.Builder small(XDiTParallel ranks) {
    return XfuserImageModel.builder(ranks).request(r -> r.size(64, 64).numInferenceSteps(2));
  }

  private static byte[] bytes(Image image) {
    assertThat(image.mimeType()).isEqualTo("image/png");
    return Base64.getDecoder().decode(image.base64Data());
  }

  private static int[] pixels(Image image) throws IOException {
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(bytes(image)));
    return picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, 64);
  }

  private static Image png(int argb, int half) throws IOException {
    BufferedImage picture = new BufferedImage(64, 64, BufferedImage.TYPE_INT_ARGB);
    for (int y = 0; y < 64; y++) {
      for (int x = 0; x < 64; x++) {
        picture.setRGB(x, y, x < 32 ? argb : half);
      }
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", png);
    String text = Base64.getEncoder().encodeToString(png.toByteArray());
    return Image.builder().base64Data(text).mimeType("image/png").build();
  }

  @Test
  void aPictureIsThatOfThePipelineWithTheSameSeed() {
    Image fox = small(prompts).request(r -> r.seed(7)).build().generate("a fox").content();
    InputConfig same =
        InputConfig.builder("a fox").size(64, 64).numInferenceSteps(2).seed(7).build();
    assertThat(bytes(fox)).isEqualTo(prompts.generate(same).pngs().get(0));
  }

  @Test
  void withoutASeedEachPictureIsAnotherAndTellsItsSeed() {
    ImageModel model = small(prompts).build();
    Response<Image> one = model.generate("a fox");
    Response<Image> other = model.generate("a fox");
    assertThat(bytes(one.content())).isNotEqualTo(bytes(other.content()));
    long seed = (Long) Objects.requireNonNull(one.metadata().get("seed"));
    assertThat(one.metadata().get("provenance")).asString().contains("Seed: " + seed);
    ImageModel again = small(prompts).request(r -> r.seed(seed)).build();
    assertThat(bytes(again.generate("a fox").content())).isEqualTo(bytes(one.content()));
  }

  @Test
  void severalPicturesAreDifferentOnes() {
    List<Image> foxes = small(prompts).build().generate("a fox", 2).content();
    assertThat(foxes).hasSize(2).doesNotHaveDuplicates();
  }

  @Test
  void aPictureIsEditedWhereTheModelTakesOne(@TempDir Path folder) throws IOException {
    Image red = png(0xFFFF0000, 0xFFFF0000);
    ImageModel model = small(editing).request(r -> r.seed(1)).build();
    Image edited = model.edit(red, "a fox").content();
    assertThat(pixels(edited))
        .hasSize(64 * 64)
        .isNotEqualTo(pixels(model.generate("a fox").content()));
    Path file = Files.write(folder.resolve("red.png"), bytes(red));
    Image byPlace = Image.builder().url(file.toUri()).build();
    assertThat(pixels(model.edit(byPlace, "a fox").content())).isEqualTo(pixels(edited));
    Image inline = Image.builder().url("data:image/png;base64," + red.base64Data()).build();
    assertThat(model.edit(inline, "a fox").content()).isEqualTo(edited);
  }

  @Test
  void aTransparentMaskIsThatOfWhite() throws IOException {
    Image red = png(0xFFFF0000, 0xFFFF0000);
    ImageModel model = small(editing).request(r -> r.seed(1)).build();
    Image byWhite = model.edit(red, png(0xFFFFFFFF, 0xFF000000), "a fox").content();
    Image byHole = model.edit(red, png(0x00000000, 0xFFFFFFFF), "a fox").content();
    assertThat(pixels(byHole))
        .isEqualTo(pixels(byWhite))
        .isNotEqualTo(pixels(model.edit(red, "a fox").content()));
  }

  @Test
  void whatCannotBeDrawnIsAnInvalidRequest() throws IOException {
    ImageModel model = small(prompts).build();
    Image red = png(0xFFFF0000, 0xFFFF0000);
    Image far = Image.builder().url("https://example.com/fox.png").build();
    Image broken = Image.builder().base64Data("no picture").build();
    for (Runnable wrong :
        List.<Runnable>of(
            () -> model.generate(" "),
            () -> model.generate("a fox", 0),
            () -> model.edit(red, "a fox"),
            () -> small(editing).build().edit(far, "a fox"),
            () -> small(editing).build().edit(broken, "a fox"),
            () ->
                small(prompts).request(r -> r.seeds(List.of(1L, 2L))).build().generate("a fox"))) {
      assertThatThrownBy(wrong::run)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageMatching("(?s).{10,300}");
    }
  }

  @Test
  void aFullQueueALimitOfTimeAndClosedRanksHaveTypesOfTheirOwn() {
    EngineConfig engine = EngineConfig.of(FIXTURES.resolve("pixart_sigma_tiny"));
    XDiTParallel own = XDiTParallel.inProcess(engine);
    InputConfig endless =
        InputConfig.builder("a fox").size(64, 64).numInferenceSteps(1000).seed(1).build();
    GenerationTask running = own.submit(endless);
    ImageModel hasty = small(own).timeout(Duration.ofMillis(50)).build();
    assertThatThrownBy(() -> hasty.generate("a fox")).isInstanceOf(TimeoutException.class);
    own.limitWaiting(0);
    assertThatThrownBy(() -> small(own).build().generate("a fox"))
        .isInstanceOf(RateLimitException.class);
    running.cancel();
    own.close();
    assertThatThrownBy(() -> small(own).build().generate("a fox"))
        .isInstanceOf(UnresolvedModelServerException.class);
  }
}
