package io.xfuser.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.BadRequestException;
import io.xfuser.server.ImageServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.openai.OpenAiImageModel;
import org.springframework.ai.openai.OpenAiImageOptions;

class SpringAiTest {
  @SuppressWarnings("NullAway.Init")
  private static ImageServer server;

  @SuppressWarnings("NullAway.Init")
  private static OpenAiImageModel model;

  @BeforeAll
  static void start() {
    server = Servers.start();
    model =
        OpenAiImageModel.builder()
            .openAiClient(
                OpenAIOkHttpClient.builder()
                    .baseUrl(Servers.base(server))
                    .apiKey("none")
                    .maxRetries(0)
                    .build())
            .build();
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static ImageResponse draw(OpenAiImageOptions.Builder options) {
    return model.call(new ImagePrompt("a fox", options.build()));
  }

  private static OpenAiImageOptions.Builder small() {
    return OpenAiImageOptions.builder().width(32).height(32);
  }

  @Test
  void generatesOneAndSeveral() {
    ImageResponse two = draw(small().n(2).quality("auto").user("me"));
    assertThat(two.getResults()).hasSize(2);
    assertThat(Servers.picture(two.getResult().getOutput().getB64Json()).getWidth()).isEqualTo(32);
    assertThat(two.getMetadata().getCreated()).isPositive();
  }

  @Test
  void asksForAnAddressWithTheStyleOfOlderModels() throws Exception {
    ImageResponse fox = draw(small().model("dall-e-3").style("vivid").responseFormat("url"));
    String place = fox.getResult().getOutput().getUrl();
    try (var file = java.net.URI.create(place).toURL().openStream()) {
      assertThat(Servers.picture(file.readAllBytes()).getWidth()).isEqualTo(32);
    }
  }

  @Test
  void aRefusalIsABadRequest() {
    assertThatThrownBy(() -> draw(small().n(1000)))
        .isInstanceOf(BadRequestException.class)
        .hasMessageContaining("1000");
  }
}
