package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.progress.Progress;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Unfinished pictures of a trained model, and pictures that cannot be. */
class PreviewTest {
  private static final Path MODEL = Path.of("../xfuser-examples/demo-model");
  private static final InputConfig FOX =
      InputConfig.builder("a fox")
          .seed(7)
          .numInferenceSteps(8)
          .set(InputConfig.PARTIAL_IMAGES, 3)
          .build();

  private static DiffusionPipeline pipeline;
  private static List<BufferedImage> serial;

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
    serial = drawn(ParallelConfig.serial());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  /** What is shown, then the picture. */
  private static List<BufferedImage> drawn(ParallelConfig parallel) {
    List<BufferedImage> all = new ArrayList<>();
    BufferedImage last = drawn(parallel, FOX, shown -> all.addAll(shown.pictures()));
    all.add(last);
    return all;
  }

  private static BufferedImage drawn(
      ParallelConfig parallel, InputConfig input, Consumer<Progress.Preview> shown) {
    try (XDiTParallel ranks = ranks(parallel);
        Generation made = HeardPreviews.submit(ranks, input, shown).await()) {
      return (BufferedImage) made.images().get(0).getWrappedImage();
    }
  }

  private static XDiTParallel ranks(ParallelConfig parallel) {
    return XDiTParallel.inProcess(pipeline, EngineConfig.builder(MODEL).parallel(parallel).build());
  }

  @Test
  void eachLooksMoreLikeThePicture() {
    assertThat(serial).hasSize(4);
    List<Double> away = serial.stream().map(shown -> away(shown, serial.get(3))).toList();
    assertThat(away.get(0)).isGreaterThan(away.get(1)).isLessThan(30);
    assertThat(away.get(1)).isGreaterThan(away.get(2));
    assertThat(away.get(2)).isLessThan(8);
  }

  /** Mean distance of their colours, of 255. */
  private static double away(BufferedImage a, BufferedImage b) {
    double sum = 0;
    for (int y = 0; y < a.getHeight(); y++) {
      for (int x = 0; x < a.getWidth(); x++) {
        for (int shift = 0; shift < 24; shift += 8) {
          sum += Math.abs((a.getRGB(x, y) >> shift & 255) - (b.getRGB(x, y) >> shift & 255));
        }
      }
    }
    return sum / (3.0 * a.getWidth() * a.getHeight());
  }

  static Stream<ParallelConfig> layouts() {
    ParallelConfig one = ParallelConfig.serial();
    return CoveringArray.part(
        List.of(
            one.toBuilder().cfgDegree(2).build(),
            one.toBuilder().ulyssesDegree(2).build(),
            one.toBuilder().pipefusionDegree(2).numPipelinePatch(2).build()),
        1,
        3)
        .stream();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void ranksShowWhatOneRankShows(ParallelConfig layout) {
    List<BufferedImage> shown = drawn(layout);
    assertThat(shown).hasSize(4);
    double most = layout.pipefusionDegree() > 1 ? 12 : 0.5; // stale keys and values, as finished
    for (int i = 0; i < 4; i++) {
      assertThat(away(shown.get(i), serial.get(i))).isLessThan(most);
    }
  }

  private static InputConfig sketched(int every) {
    return FOX.toBuilder()
        .set(InputConfig.PARTIAL_IMAGES, 0)
        .set(InputConfig.PREVIEW_EVERY, every)
        .build();
  }

  /** Of 16 × 16 latents, whose colours are the means of 8 × 8 pixels, about. */
  @ParameterizedTest
  @MethodSource("sketchingLayouts")
  void latentsAreShownAsSmallPictures(ParallelConfig layout) {
    List<Progress.Preview> shown = new ArrayList<>();
    BufferedImage picture = drawn(layout, sketched(3), shown::add);
    assertThat(shown).extracting(Progress.Preview::done).containsExactly(3L, 6L, 8L);
    assertThat(shown).allMatch(one -> one.frames() == 1 && one.pictures().size() == 1);
    BufferedImage means = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
    means
        .createGraphics()
        .drawImage(picture.getScaledInstance(16, 16, Image.SCALE_AREA_AVERAGING), 0, 0, null);
    double first = away(shown.get(0).pictures().get(0), means);
    double last = away(shown.get(2).pictures().get(0), means);
    assertThat(last).isLessThan(first).isLessThan(20);
    assertThat(shown.get(2).pictures().get(0).getWidth()).isEqualTo(16);
  }

  static Stream<ParallelConfig> sketchingLayouts() {
    ParallelConfig one = ParallelConfig.serial();
    return Stream.concat(
        CoveringArray.ALL ? Stream.concat(layouts(), Stream.of(one)) : Stream.of(),
        Stream.of(
            one.toBuilder().ringDegree(2).pipefusionDegree(2).numPipelinePatch(3).build(),
            one.toBuilder().vaeParallelSize(1).build()));
  }

  @Test
  void onlyTheFirstOfSeveralReplicasShowsLatentsOfItsPictures() {
    List<Progress.Preview> shown = new ArrayList<>();
    InputConfig three =
        sketched(1).toBuilder()
            .numInferenceSteps(2)
            .set(InputConfig.NUM_IMAGES_PER_PROMPT, 3)
            .build();
    ParallelConfig layout = ParallelConfig.serial().toBuilder().dataDegree(2).build();
    drawn(layout, three, shown::add);
    assertThat(shown).extracting(one -> one.pictures().size()).containsExactly(1, 1);
  }

  @Test
  void aStepThatIsDecodedIsShownOnce() {
    List<Integer> widths = new ArrayList<>();
    InputConfig both =
        sketched(1).toBuilder().numInferenceSteps(4).set(InputConfig.PARTIAL_IMAGES, 1).build();
    drawn(ParallelConfig.serial(), both, one -> widths.add(one.pictures().get(0).getWidth()));
    assertThat(widths).containsExactly(16, 128, 16, 16);
  }

  @Test
  void latentsAreShownBesideAPauseAndWhereNothingIsDecoded() throws Exception {
    List<Long> shown = new ArrayList<>();
    InputConfig latent =
        sketched(2).toBuilder()
            .numInferenceSteps(6)
            .set(InputConfig.OUTPUT_TYPE, OutputType.LATENT)
            .build();
    try (XDiTParallel ranks = ranks(ParallelConfig.serial())) {
      GenerationTask task = HeardPreviews.submit(ranks, latent, one -> shown.add(one.done()));
      task.pauseAfter(3).get();
      task.resume();
      task.result().get().close();
    }
    assertThat(shown).containsExactly(2L, 4L, 6L);
  }

  @Test
  void framesOfAVideosLatentsAreShownInOrder(@TempDir Path directory) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(Requests.directory("wan_tiny"), directory);
    InputConfig video =
        InputConfig.builder("a fox")
            .height(32)
            .width(48)
            .numFrames(9)
            .numInferenceSteps(2)
            .set(InputConfig.PREVIEW_EVERY, 1)
            .build();
    assertThatThrownBy(() -> sketches(directory, video))
        .hasMessageMatching("preview_every: which colours .* is not known; .*");
    String map = "[" + "[0.1, 0.2, 0.3],".repeat(4) + "[0.3, 0.2, 0.1]]";
    copy.rewrite("vae/config.json", "\"z_dim\": 5", "\"z_dim\": 5, \"latent_rgb_factors\": " + map);
    List<Progress.Preview> shown = sketches(directory, video);
    assertThat(shown).hasSize(2);
    assertThat(shown.get(1).pictures()).hasSize(shown.get(1).frames()).hasSize(3);
    assertThat(shown.get(1).perSecond()).isEqualTo(16.0 * 3 / 9);
  }

  @Test
  void framesThatFillUpTokensAreNotShown(@TempDir Path directory) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(Requests.directory("cogvideox15_tiny"), directory);
    String map = "[" + "[0.1, 0.2, 0.3],".repeat(3) + "[0.3, 0.2, 0.1]]";
    copy.rewrite(
        "vae/config.json",
        "\"latent_channels\": 4",
        "\"latent_channels\": 4, \"latent_rgb_factors\": " + map);
    List<Progress.Preview> shown =
        sketches(
            directory,
            InputConfig.builder("a fox")
                .maxSequenceLength(20)
                .numFrames(9)
                .numInferenceSteps(2)
                .set(InputConfig.NUM_IMAGES_PER_PROMPT, 2)
                .set(InputConfig.PREVIEW_EVERY, 2)
                .build());
    assertThat(shown).hasSize(1);
    assertThat(shown.get(0).frames()).isEqualTo(3); // of latents, and one before them
    assertThat(shown.get(0).pictures()).hasSize(6);
    assertThat(shown.get(0).perSecond()).isEqualTo(16.0 * 3 / 9);
  }

  private static List<Progress.Preview> sketches(Path model, InputConfig input) {
    List<Progress.Preview> shown = new ArrayList<>();
    try (DiffusionPipeline videos =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(model).build());
        XDiTParallel ranks = XDiTParallel.inProcess(videos, EngineConfig.builder(model).build())) {
      HeardPreviews.submit(ranks, input, shown::add).await().close();
    }
    return shown;
  }

  @Test
  void pictureOfNoNumbersIsRefused() {
    EngineConfig engine = EngineConfig.builder(MODEL).build();
    InputConfig two =
        FOX.toBuilder().numInferenceSteps(2).set(InputConfig.PARTIAL_IMAGES, 0).build();
    InputConfig overflowing = two.toBuilder().guidanceScale(1e308).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      assertThatThrownBy(() -> ranks.generate(overflowing))
          .isInstanceOf(ArgumentException.class)
          .hasMessageMatching(
              "\\d+ of \\d+ latents are infinite or no numbers, so there is no picture; a smaller"
                  + " guidance_scale may help, .*");
      ranks.generate(two).close(); // the next one is drawn
    }
  }
}
