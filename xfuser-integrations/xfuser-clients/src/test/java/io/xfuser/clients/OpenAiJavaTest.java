package io.xfuser.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.images.ImageEditParams;
import com.openai.models.images.ImageGenStreamEvent;
import com.openai.models.images.ImageGenerateParams;
import com.openai.models.images.ImagesResponse;
import com.openai.models.models.Model;
import io.xfuser.config.InputConfig;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.server.ImageServer;
import io.xfuser.server.ServerSettings;
import java.awt.Color;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenAiJavaTest {
  @SuppressWarnings("NullAway.Init")
  private static ImageServer server;

  @SuppressWarnings("NullAway.Init")
  private static OpenAIClient client;

  @BeforeAll
  static void start() {
    server = Servers.start();
    client = client(server).build();
  }

  @AfterAll
  static void close() {
    client.close();
    server.close();
  }

  private static OpenAIOkHttpClient.Builder client(ImageServer of) {
    return OpenAIOkHttpClient.builder().baseUrl(Servers.base(of)).apiKey("none").maxRetries(0);
  }

  private static ImageGenerateParams.Builder fox() {
    return ImageGenerateParams.builder().prompt("a fox").model("gpt-image-1").size("32x32");
  }

  @Test
  void generatesWhatTheSeedSays() {
    ImageGenerateParams seeded =
        fox()
            .putAdditionalBodyProperty("seed", JsonValue.from(7))
            .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(2))
            .build();
    ImagesResponse one = client.images().generate(seeded);
    String file = one.data().orElseThrow().get(0).b64Json().orElseThrow();
    assertThat(one.created()).isPositive();
    try (XDiTParallel ranks = Servers.ranks()) {
      InputConfig same =
          InputConfig.builder("a fox").size(32, 32).seed(7).numInferenceSteps(2).build();
      assertThat(Servers.pixels(Servers.picture(file)))
          .isEqualTo(Servers.pixels(Servers.picture(ranks.generate(same).pngs().get(0))));
    }
  }

  @Test
  void streamsPartialPicturesThenTheWhole() {
    int partial = 0;
    int whole = 0;
    ImageGenerateParams params =
        fox()
            .partialImages(2)
            .putAdditionalBodyProperty("num_inference_steps", JsonValue.from(10))
            .build();
    try (StreamResponse<ImageGenStreamEvent> events = client.images().generateStreaming(params)) {
      for (ImageGenStreamEvent event : events.stream().toList()) {
        if (event.isGenerationPartialImage()) {
          assertThat(whole).isZero();
          assertThat(event.asGenerationPartialImage().partialImageIndex()).isEqualTo(partial++);
          Servers.picture(event.asGenerationPartialImage().b64Json());
        } else {
          whole++;
          Servers.picture(event.asGenerationCompleted().b64Json());
          assertThat(event.asGenerationCompleted().usage().totalTokens()).isZero();
        }
      }
    }
    assertThat(partial).isEqualTo(2);
    assertThat(whole).isEqualTo(1);
  }

  @Test
  void editsAFormOfOnePictureOrAListAndAMask() {
    ImageEditParams.Builder edit = ImageEditParams.builder().prompt("a fox").size("32x32");
    ImageEditParams.Image one = ImageEditParams.Image.ofInputStream(red());
    ImagesResponse plain = client.images().edit(edit.image(file(one)).build());
    Servers.picture(plain.data().orElseThrow().get(0).b64Json().orElseThrow());
    ImageEditParams.Image list = ImageEditParams.Image.ofInputStreams(List.of(red()));
    InputStream hole = new ByteArrayInputStream(Servers.png(Color.WHITE, true));
    MultipartField<InputStream> mask =
        MultipartField.<InputStream>builder()
            .value(hole)
            .contentType("image/png")
            .filename("mask.png")
            .build();
    ImagesResponse masked = client.images().edit(edit.image(file(list)).mask(mask).build());
    Servers.picture(masked.data().orElseThrow().get(0).b64Json().orElseThrow());
  }

  private static InputStream red() {
    return new ByteArrayInputStream(Servers.png(Color.RED, false));
  }

  private static MultipartField<ImageEditParams.Image> file(ImageEditParams.Image image) {
    return MultipartField.<ImageEditParams.Image>builder()
        .value(image)
        .contentType("image/png")
        .filename("red.png")
        .build();
  }

  @Test
  void listsModels() {
    List<Model> models = client.models().list().data();
    assertThat(models).extracting(Model::id).containsExactly("tiny");
    assertThat(client.models().retrieve("tiny").validate().ownedBy()).isEqualTo("xfuser");
    assertThatThrownBy(() -> client.models().retrieve("gpt-5"))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void errorsHaveTheTypesOfTheClient(@TempDir Path folder) throws IOException {
    assertThatThrownBy(() -> client.images().generate(fox().size("64").build()))
        .isInstanceOfSatisfying(
            BadRequestException.class,
            e -> {
              assertThat(e.param()).contains("size");
              assertThat(e.type()).contains("invalid_request_error");
            });
    Path keys = Files.writeString(folder.resolve("keys"), "secret\n");
    ImageServer closed =
        ImageServer.builder()
            .model("closed", Servers.ranks())
            .set(ServerSettings.API_KEY_FILE, keys)
            .set(ServerSettings.MAX_WAITING, 0)
            .port(0)
            .start();
    OpenAIClient stranger = client(closed).build();
    OpenAIClient friend = client(closed).apiKey("secret").build();
    try {
      assertThatThrownBy(() -> stranger.models().list()).isInstanceOf(UnauthorizedException.class);
      try (StreamResponse<ImageGenStreamEvent> running =
          friend.images().generateStreaming(steps(900))) {
        assertThat(running).isNotNull(); // it was taken
        assertThatThrownBy(() -> friend.images().generate(steps(1)))
            .isInstanceOf(RateLimitException.class);
      }
    } finally {
      stranger.close();
      friend.close();
      closed.close(Duration.ZERO);
    }
  }

  private static ImageGenerateParams steps(int steps) {
    return fox().putAdditionalBodyProperty("num_inference_steps", JsonValue.from(steps)).build();
  }

  @Test
  void whoGivesUpHoldsUpNobody() {
    OpenAIClient hasty = client.withOptions(o -> o.timeout(Duration.ofMillis(100)));
    assertThatThrownBy(() -> hasty.images().generate(steps(900)))
        .isInstanceOf(OpenAIIoException.class);
    OpenAIClient next = client.withOptions(o -> o.timeout(Duration.ofMinutes(2)));
    assertThat(next.images().generate(steps(1)).data()).isPresent();
  }
}
