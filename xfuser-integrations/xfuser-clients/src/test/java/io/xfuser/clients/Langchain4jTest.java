package io.xfuser.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.openai.OpenAiImageModel;
import io.xfuser.server.ImageServer;
import java.awt.Color;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class Langchain4jTest {
  @SuppressWarnings("NullAway.Init")
  private static ImageServer server;

  @BeforeAll
  static void start() {
    server = Servers.start();
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static OpenAiImageModel.OpenAiImageModelBuilder model() {
    return OpenAiImageModel.builder()
        .baseUrl(Servers.base(server))
        .apiKey("none")
        .modelName("gpt-image-1")
        .maxRetries(0)
        .size("32x32");
  }

  @Test
  void generatesOneAndSeveral() {
    ImageModel model = model().quality("auto").user("me").background("auto").build();
    Image fox = model.generate("a fox").content();
    assertThat(Servers.picture(fox.base64Data()).getWidth()).isEqualTo(32);
    List<Image> two = model.generate("a fox", 2).content();
    assertThat(two).hasSize(2).doesNotHaveDuplicates();
  }

  @Test
  void asksForJpeg() {
    Image fox =
        model().outputFormat("jpeg").outputCompression(80).build().generate("a fox").content();
    byte[] file = Base64.getDecoder().decode(fox.base64Data());
    assertThat(file).startsWith(0xFF, 0xD8, 0xFF);
  }

  @Test
  void edits() {
    String red = Base64.getEncoder().encodeToString(Servers.png(Color.RED, false));
    String hole = Base64.getEncoder().encodeToString(Servers.png(Color.WHITE, true));
    Image image = Image.builder().base64Data(red).mimeType("image/png").build();
    Image mask = Image.builder().base64Data(hole).mimeType("image/png").build();
    Image edited = model().build().edit(image, "a fox").content();
    assertThat(Servers.picture(edited.base64Data()).getWidth()).isEqualTo(32);
    Image masked = model().build().edit(image, mask, "a fox").content();
    assertThat(Servers.picture(masked.base64Data()).getWidth()).isEqualTo(32);
  }

  @Test
  void aRefusalHasTheServersSentence() {
    assertThatThrownBy(() -> model().size("huge").build().generate("a fox"))
        .hasMessageContaining("huge")
        .isInstanceOfSatisfying(
            HttpException.class, e -> assertThat(e.statusCode()).isEqualTo(400));
  }
}
