package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server of a trained model, asked as OpenAI's clients do. */
class ImageServerTest {
  private static final String GENERATIONS = "/v1/images/generations";

  private static XDiTParallel ranks;
  private static ImageServer server;
  private static Client client;

  @BeforeAll
  static void start() {
    ranks = DemoServer.ranks();
    server = DemoServer.of(ranks).set(ServerSettings.MAX_PROMPT_LENGTH, 200).start();
    client = Client.of(server);
  }

  @AfterAll
  static void end() {
    server.close();
  }

  @Test
  void pictureIsThatOfItsSeedAndTellsHowItWasMade() throws IOException, InterruptedException {
    Client.Answer answer = client.post(GENERATIONS, DemoServer.body(7));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().get("created").asLong()).isGreaterThan(1_700_000_000L);
    assertThat(pixels(answer.pixels())).isEqualTo(drawn(7));
    String png = new String(answer.picture(0), StandardCharsets.ISO_8859_1);
    assertThat(png).contains("tEXtparameters").contains("a fox").contains("Seed: 7");
    assertThat(answer.json().get("size").asText())
        .isEqualTo(answer.pixels().getWidth() + "x" + answer.pixels().getHeight());
  }

  private static List<Integer> drawn(long seed) {
    try (Generation generation = ranks.generate(DemoServer.input(seed))) {
      return pixels((BufferedImage) generation.images().get(0).getWrappedImage());
    }
  }

  private static List<Integer> pixels(BufferedImage image) {
    List<Integer> all = new ArrayList<>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        all.add(image.getRGB(x, y));
      }
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"prompt\":\"a"
        + " fox\",\"num_inference_steps\":1,\"size\":\"64x32\",\"model\":\"gpt-image-1\",\"moderation\":\"low\",\"user\":\"me\",\"quality\":\"hd\",\"style\":null,\"background\":\"auto\"}',"
        + " png",
    "'{\"prompt\":\"a"
        + " fox\",\"num_inference_steps\":1,\"width\":64,\"height\":32,\"output_format\":\"jpeg\",\"output_compression\":60}',"
        + " JPEG",
    "'{\"prompt\":\"a"
        + " fox\",\"num_inference_steps\":1,\"size\":\"64x32\",\"output_format\":\"webp\"}', webp"
  })
  void foreignFieldsAndFormatsAreTaken(String body, String format)
      throws IOException, InterruptedException {
    Client.Answer answer = client.post(GENERATIONS, body);
    assertThat(answer.status()).as(answer.error()).isEqualTo(200);
    var readers =
        ImageIO.getImageReaders(
            ImageIO.createImageInputStream(new ByteArrayInputStream(answer.picture(0))));
    assertThat(readers.next().getFormatName()).isEqualToIgnoringCase(format);
    assertThat(answer.pixels().getWidth()).isEqualTo(64);
    assertThat(answer.pixels().getHeight()).isEqualTo(32);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"seed\":1}; prompt",
        "{\"prompt\":\"a\",\"size\":\"large\"}; size must be auto or WIDTHxHEIGHT",
        "{\"prompt\":\"a\",\"size\":\"99999x99999\"}; pixels",
        "{\"prompt\":\"a\",\"n\":11}; no more than 10 pictures",
        "{\"prompt\":\"a\",\"n\":0}; n must be",
        "{\"prompt\":\"a\",\"num_inference_steps\":\"many\"}; num_inference_steps must be a number",
        "{\"prompt\":\"a\",\"num_inference_steps\":100000}; no more than 1000 steps",
        "{\"prompt\":\"a\",\"lora\":\"/etc/passwd\"}; no LoRAs are offered",
        "{\"prompt\":\"a\",\"image\":\"/etc/passwd\"}; image must be a file of a form",
        "{\"prompt\":\"a\",\"response_format\":\"gif\"}; response_format must be b64_json or url",
        "{\"prompt\":\"a\",\"output_format\":\"gif\"}; output_format must be png, jpeg or webp",
        "{\"prompt\":\"a\",\"stream\":\"yes\"}; stream must be true or false",
        "{\"prompt\":\"a\",\"num_frames\":8}; num_frames",
        "{\"prompt\":7}; prompt",
        "[]; the body must be an object",
        "{; the body is no JSON: line 1, column 2: it ends too early",
        "{} {}; the body is no JSON: line 1, column"
      })
  void whatCannotBeDoneIsRefusedInASentence(String body, String sentence)
      throws IOException, InterruptedException {
    Client.Answer answer = client.post(GENERATIONS, body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error()).contains(sentence);
    assertThat(answer.json().at("/error/type").asText()).isEqualTo("invalid_request_error");
  }

  @Test
  void longPromptIsRefused() throws IOException, InterruptedException {
    Client.Answer answer = client.post(GENERATIONS, "{\"prompt\":\"" + "a".repeat(201) + "\"}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error()).contains("no more than 200 letters");
  }

  @Test
  void pagesOfOtherSitesAreRefused() throws IOException, InterruptedException {
    String own = client.to("/").build().uri().getAuthority();
    for (String origin : List.of("http://elsewhere.example", "null", "http://127.0.0.1:1", "%")) {
      Client.Answer answer = client.send(client.to("/v1/models").header("Origin", origin).build());
      assertThat(answer.status()).as(origin).isEqualTo(403);
      assertThat(answer.error()).contains("may not use this server");
    }
    assertThat(
            client.send(client.to("/v1/models").header("Origin", "http://" + own).build()).status())
        .isEqualTo(200);
  }

  @Test
  void severalPicturesComeInOneAnswerAndByUrl() throws IOException, InterruptedException {
    Client.Answer answer =
        client.post(
            GENERATIONS,
            "{\"prompt\":\"a"
                + " fox\",\"n\":2,\"num_inference_steps\":1,\"size\":\"32x32\",\"response_format\":\"url\"}");
    assertThat(answer.json().get("data")).hasSize(2);
    String url = answer.json().at("/data/1/url").asText();
    Client.Answer file = client.get(url.replaceFirst("http://[^/]*", ""));
    assertThat(file.headers().firstValue("content-type")).contains("image/png");
    assertThat(ImageIO.read(new ByteArrayInputStream(file.body())).getWidth()).isEqualTo(32);
  }

  @Test
  void streamShowsUnfinishedPicturesAndThenTheSameOneAsWithoutIt()
      throws IOException, InterruptedException {
    String body =
        "{\"prompt\":\"a"
            + " fox\",\"seed\":7,\"num_inference_steps\":10,\"size\":\"32x32\",\"stream\":%s,"
            + "\"partial_images\":2,\"preview_every\":10}";
    Client.Answer answer = client.post(GENERATIONS, body.formatted("true"));
    assertThat(answer.headers().firstValue("content-type")).contains("text/event-stream");
    List<JsonNode> events = new ArrayList<>();
    for (String line : new String(answer.body(), StandardCharsets.UTF_8).lines().toList()) {
      if (line.startsWith("data: ")) {
        events.add(Client.JSON.readTree(line.substring(6)));
      }
    }
    assertThat(events.stream().map(event -> event.get("type").asText()))
        .hasSize(4) // the third is of latents, after the last step
        .startsWith("image_generation.partial_image", "image_generation.partial_image")
        .endsWith("image_generation.partial_image", "image_generation.completed");
    assertThat(events.get(1).get("partial_image_index").asInt()).isEqualTo(1);
    assertThat(events.get(2).get("size").asText()).isEqualTo("4x4");
    byte[] last = Base64.getDecoder().decode(events.get(3).get("b64_json").asText());
    assertThat(last).isEqualTo(client.post(GENERATIONS, body.formatted("false")).picture(0));
    byte[] shown = Base64.getDecoder().decode(events.get(0).get("b64_json").asText());
    assertThat(pixels(ImageIO.read(new ByteArrayInputStream(shown))))
        .isNotEqualTo(pixels(ImageIO.read(new ByteArrayInputStream(last))));
  }

  @Test
  void sameRequestTwiceIsDrawnOnce() throws IOException, InterruptedException {
    String body = small("a fox", 40); // the server draws a seed
    List<CompletableFuture<Client.Answer>> answers =
        List.of(client.postLater(GENERATIONS, body), client.postLater(GENERATIONS, body));
    Set<String> pictures = new HashSet<>();
    for (CompletableFuture<Client.Answer> answer : answers) {
      pictures.add(answer.join().json().at("/data/0/b64_json").asText());
    }
    assertThat(pictures).hasSize(1);
    String brief = small("a fox", 1); // nothing is kept of a request that is over
    assertThat(client.post(GENERATIONS, brief).picture(0))
        .isNotEqualTo(client.post(GENERATIONS, brief).picture(0));
  }

  @Test
  void keyOfARequestIsForOneRequest() throws IOException, InterruptedException {
    var first =
        client
            .http()
            .sendAsync(
                keyed(small("a fox", 1000)), java.net.http.HttpResponse.BodyHandlers.ofString());
    client.awaitPresent(1);
    assertThat(client.send(keyed(small("a dog", 1))).status()).isEqualTo(409);
    first.cancel(true);
    client.awaitPresent(0);
    assertThat(client.send(keyed(small("a dog", 1))).status()).isEqualTo(200);
  }

  private static java.net.http.HttpRequest keyed(String body) {
    return Client.json(client.to(GENERATIONS), body).header("Idempotency-Key", "k").build();
  }

  private static String small(String prompt, int steps) {
    return "{\"prompt\":\"%s\",\"num_inference_steps\":%d,\"size\":\"32x32\"}"
        .formatted(prompt, steps);
  }

  @Test
  void deadlineEndsARequest() throws IOException, InterruptedException {
    Client.Answer answer =
        client.post(
            GENERATIONS, "{\"prompt\":\"a fox\",\"num_inference_steps\":1000,\"deadline_ms\":200}");
    assertThat(answer.status()).isEqualTo(504);
    assertThat(answer.error()).isEqualTo("the pictures were not there within 200 ms");
    client.awaitPresent(0); // it is given up, too
  }

  @Test
  void generateAnswersAsXditsServer() throws IOException, InterruptedException {
    Client.Answer answer =
        client.post(
            "/generate",
            "{\"prompt\":\"a"
                + " fox\",\"num_inference_steps\":1,\"seed\":3,\"cfg\":2.0,\"height\":64,\"width\":64}");
    assertThat(answer.status()).as(answer.error()).isEqualTo(200);
    JsonNode json = answer.json();
    assertThat(json.get("message").asText()).isEqualTo("Image generated successfully");
    assertThat(json.get("elapsed_time").asText()).matches("\\d+\\.\\d\\d sec");
    assertThat(json.get("save_to_disk").asBoolean()).isFalse();
    byte[] png = Base64.getDecoder().decode(json.get("output").asText());
    assertThat(ImageIO.read(new ByteArrayInputStream(png)).getWidth()).isEqualTo(64);
  }

  @Test
  void videosAndEditsOfAModelOfPicturesAreRefused() throws IOException, InterruptedException {
    Client.Answer video = client.post("/v1/videos", "{\"prompt\":\"a fox\",\"seconds\":\"4\"}");
    assertThat(video.status()).isEqualTo(400);
    assertThat(video.error()).contains("makes pictures, no videos");
    Client.Answer edit = client.post("/v1/images/edits", "{\"prompt\":\"a fox\"}");
    assertThat(edit.status()).isEqualTo(400);
    assertThat(edit.error()).contains("needs the picture to edit");
    String form =
        String.join(
            "\r\n",
            "--b",
            "Content-Disposition: form-data; name=\"prompt\"",
            "",
            "a fox",
            "--b",
            "Content-Disposition: form-data; name=\"image[]\"; filename=\"a.png\"",
            "Content-Type: image/png",
            "",
            "no picture",
            "--b--");
    Client.Answer model =
        client.send(
            client
                .to("/v1/images/edits")
                .header("Content-Type", "multipart/form-data; boundary=b")
                .POST(BodyPublishers.ofString(form))
                .build());
    assertThat(model.status()).isEqualTo(400);
    assertThat(model.error()).contains("has no image");
  }

  @Test
  void modelsAreListed() throws IOException, InterruptedException {
    assertThat(client.get("/v1/models").json().at("/data/0/id").asText()).isEqualTo("demo");
    assertThat(client.get("/v1/models/demo").status()).isEqualTo(200);
    assertThat(client.get("/v1/models/other").error()).contains("there is no model other");
    assertThat(client.get("/v1/other").error()).contains("/openapi.json tells"); // 404
    assertThat(client.get(GENERATIONS).status()).isEqualTo(405);
  }
}
