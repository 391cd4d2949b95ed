package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
import org.bytedeco.javacv.FFmpegFrameGrabber;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models of videos, and models that take pictures, with random weights; both on one server. */
class OtherModelsTest {
  private static final Path TINY = Path.of("../xfuser-models/src/test/resources/fixtures");

  private static ImageServer server;
  private static Client client;

  @BeforeAll
  static void start() {
    server =
        ImageServer.builder()
            .port(0)
            .model("latte", open("latte_tiny"))
            .model("flux", open("flux_dev_tiny"))
            .start();
    client = Client.of(server);
  }

  static XDiTParallel open(String model) {
    return XDiTParallel.inProcess(EngineConfig.builder(TINY.resolve(model)).build());
  }

  @AfterAll
  static void end() {
    server.close();
  }

  @Test
  void videoIsAJobThatEndsInAFile() throws IOException, InterruptedException {
    Client.Answer created =
        client.post(
            "/v1/videos",
            "{\"prompt\":\"a"
                + " fox\",\"num_frames\":4,\"fps\":2,\"num_inference_steps\":2,\"seed\":3,\"model\":\"latte\",\"size\":\"32x32\"}");
    assertThat(created.status()).as(created.error()).isEqualTo(200);
    assertThat(created.json().get("object").asText()).isEqualTo("video");
    String path = "/v1/videos/" + created.json().get("id").asText();
    JsonNode video = client.get(path).json();
    long until = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!video.get("status").asText().equals("completed")) {
      assertThat(video.get("status").asText()).isIn("queued", "in_progress");
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.sleep(20);
      video = client.get(path).json();
    }
    assertThat(video.get("progress").asInt()).isEqualTo(100);
    assertThat(video.get("seconds").asText()).isEqualTo("2"); // 4 frames, 2 a second
    Client.Answer content = client.get(path + "/content");
    assertThat(content.headers().firstValue("content-type")).contains("video/mp4");
    try (FFmpegFrameGrabber grabber =
        new FFmpegFrameGrabber(new ByteArrayInputStream(content.body()))) {
      grabber.start();
      assertThat(grabber.getFrameRate()).isEqualTo(2);
      int frames = 0;
      while (grabber.grabImage() != null) {
        frames++;
      }
      assertThat(frames).isEqualTo(4);
      assertThat(grabber.getMetadata("comment")).contains("a fox").contains("Seed: 3");
    }
    assertThat(client.get(path + "/content?variant=thumbnail").status()).isEqualTo(400);
    Client.Answer gone = client.send(client.to(path).DELETE().build());
    assertThat(gone.json().get("deleted").asBoolean()).isTrue();
    assertThat(client.get(path).status()).isEqualTo(404);
  }

  @Test
  void deletedVideoIsGivenUp() throws IOException, InterruptedException {
    Client.Answer created =
        client.post(
            "/v1/videos",
            "{\"prompt\":\"a"
                + " fox\",\"num_frames\":4,\"size\":\"32x32\",\"num_inference_steps\":1000}");
    String path = "/v1/videos/" + created.json().get("id").asText();
    assertThat(client.get(path + "/content").error()).isEqualTo("the video is not there yet");
    client.send(client.to(path).DELETE().build());
    long until = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!new String(client.get("/metrics").body(), StandardCharsets.UTF_8)
        .contains("xfuser_requests_present{model=\"latte\"} 0.0")) {
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.sleep(20);
    }
  }

  @Test
  void modelOfVideosMakesNoPictures() throws IOException, InterruptedException {
    Client.Answer answer =
        client.post("/v1/images/generations", "{\"model\":\"latte\",\"prompt\":\"a fox\"}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error()).contains("makes videos: ask for them at /v1/videos");
  }

  @Test
  void modelsThatNobodyKnowsStandForThoseThatCanDoIt() throws IOException, InterruptedException {
    Client.Answer picture =
        client.post(
            "/v1/images/generations",
            "{\"model\":\"gpt-image-1\",\"prompt\":\"a"
                + " fox\",\"size\":\"32x32\",\"num_inference_steps\":1}");
    assertThat(picture.status()).as(picture.error()).isEqualTo(200);
    String video =
        "{\"model\":\"%s\",\"prompt\":\"a fox\",\"size\":\"32x32\",\"num_inference_steps\":1}";
    Client.Answer created = client.post("/v1/videos", video.formatted("sora-2"));
    assertThat(created.json().get("model").asText()).isEqualTo("latte");
    Client.Answer still = client.post("/v1/videos", video.formatted("flux"));
    assertThat(still.json().at("/error/param").asText()).isEqualTo("model");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "\"num_frames\":3; num_frames",
        "\"seconds\":\"many\"; seconds",
        "\"seconds\":\"3600\"; seconds",
        "\"size\":\"33x32\"; size",
        "\"n\":2; n",
        "\"eta\":-1; eta",
        "\"input_reference\":\"x\"; input_reference",
        "\"timesteps\":[1,5]; timesteps"
      })
  void errorOfOneFieldOfAVideoNamesIt(String wrong, String field)
      throws IOException, InterruptedException {
    Client.Answer answer = client.post("/v1/videos", "{\"prompt\":\"a\"," + wrong + "}");
    assertThat(answer.status()).as(answer.error()).isEqualTo(400);
    assertThat(answer.json().at("/error/param").asText()).as(answer.error()).isEqualTo(field);
  }

  @Test
  void editStartsFromThePictureOfTheForm() throws IOException, InterruptedException {
    byte[] red = png(Color.RED);
    Client.Answer answer = client.send(form(red, "image[]"));
    assertThat(answer.status()).as(answer.error()).isEqualTo(200);
    assertThat(answer.pixels().getWidth()).isEqualTo(32);
    String json =
        "{\"model\":\"flux\",\"prompt\":\"a"
            + " fox\",\"size\":\"32x32\",\"num_inference_steps\":2,\"strength\":0.5,\"seed\":1,\"image\":\"data:image/png;base64,%s\"}";
    Client.Answer same =
        client.post("/v1/images/edits", json.formatted(Base64.getEncoder().encodeToString(red)));
    assertThat(same.picture(0)).isEqualTo(answer.picture(0));
    assertThat(client.send(form(png(Color.BLUE), "image")).picture(0))
        .isNotEqualTo(answer.picture(0));
    String plain = json.replace("data:image/png;base64,", "").replace("flux", "gpt-image-1");
    String list =
        json.replace("\"image\":\"", "\"images\":[{\"image_url\":\"")
            .replace("}", "\"}]}")
            .replace("\"\"", "\"");
    String odd = json.replace("data:image/png;", "DATA:image/PNG;charset=utf-8;");
    for (String other : List.of(plain, list, odd)) {
      Client.Answer edited =
          client.post("/v1/images/edits", other.formatted(Base64.getEncoder().encodeToString(red)));
      assertThat(edited.status()).as(edited.error()).isEqualTo(200);
      assertThat(edited.picture(0)).isEqualTo(answer.picture(0));
    }
  }

  private static HttpRequest form(byte[] png, String field) {
    StringBuilder form = new StringBuilder();
    String[][] texts = {
      {"model", "flux"},
      {"prompt", "a fox"},
      {"size", "32x32"},
      {"num_inference_steps", "2"},
      {"strength", "0.5"},
      {"seed", "1"},
      {"n", "1"}
    };
    for (String[] text : texts) {
      form.append(
          "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
              .formatted(text[0], text[1]));
    }
    form.append(
        "--b\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
            .formatted(field));
    String body = form + new String(png, StandardCharsets.ISO_8859_1) + "\r\n--b--\r\n";
    return client
        .to("/v1/images/edits")
        .header("Content-Type", "multipart/form-data; boundary=b")
        .POST(BodyPublishers.ofByteArray(body.getBytes(StandardCharsets.ISO_8859_1)))
        .build();
  }

  private static byte[] png(Color color) throws IOException {
    BufferedImage picture = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = picture.createGraphics();
    canvas.setColor(color);
    canvas.fillRect(0, 0, 32, 32);
    canvas.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", bytes);
    return bytes.toByteArray();
  }
}
