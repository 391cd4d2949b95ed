package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Bodies that no client should send, drawn from a seed. XFUSER_FUZZ says how many, 10,000 for a
 * whole run.
 */
class MalformedTest {
  private static final List<String> PATHS =
      List.of("/v1/images/generations", "/v1/images/edits", "/v1/videos", "/generate");

  /** A value that a field may get. */
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "-1",
          "0",
          "1e400",
          "1e308",
          "-1e30",
          "99999999999999999999999",
          "1.5",
          "\"\"",
          "\"a\"",
          "[]",
          "{}",
          "[null]",
          "[[1]]",
          "{\"a\":{}}",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"1\"",
          "[1,\"a\"]",
          "\"data:image/png;base64,AAAA\"",
          "\"data:image/png;base64,%%\"",
          "\"../../etc/passwd\"",
          "\"64x\"",
          "\"-1x5\"",
          "\"NaN\"");

  private static ImageServer server;
  private static Client client;
  private static List<String> fields;
  private static List<String> values;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    // of what is well-formed by chance no more than a step is drawn
    server =
        DemoServer.of(DemoServer.ranks())
            .model("flux", OtherModelsTest.open("flux_dev_tiny"))
            .model("latte", OtherModelsTest.open("latte_tiny"))
            .set(ServerSettings.MAX_STEPS, 1)
            .set(ServerSettings.MAX_PIXELS, 1024)
            .set(ServerSettings.SHUTDOWN_SECONDS, 0)
            .start();
    client = Client.of(server);
    JsonNode told =
        client
            .get("/openapi.json")
            .json()
            .at("/paths/~1v1~1images~1generations/post/requestBody/content")
            .at("/application~1json/schema/properties");
    fields =
        Stream.concat(
                told.properties().stream().map(Map.Entry::getKey),
                Stream.of("unknown", "cfg", "seconds", "image[]", "input_reference"))
            .toList();
    values = // the words of all settings with them
        Stream.concat(
                VALUES.stream(), told.findValues("enum").stream().flatMap(MalformedTest::texts))
            .toList();
    assertThat(fields).contains("cache", "cache_threshold", "cfg_truncation");
    assertThat(values).contains("\"taylorseer\"");
  }

  private static Stream<String> texts(JsonNode words) {
    return words.valueStream().map(JsonNode::toString);
  }

  @AfterAll
  static void end() {
    server.close();
  }

  @Test
  void anyBodyIsAnsweredInASentenceOrDrawn() throws IOException, InterruptedException {
    int count = Integer.parseInt(System.getenv().getOrDefault("XFUSER_FUZZ", "200"));
    Random random = new Random(20261128);
    int threads = 0;
    long files = 0;
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (i == count / 2) { // what there is once for all is there
        threads = Thread.activeCount();
        files = openFiles();
      }
      String answer = send(random);
      if (!answer.isEmpty()) {
        wrong.add(i + ": " + answer);
      }
    }
    assertThat(wrong).isEmpty();
    long until = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (Thread.activeCount() > threads + 5 || openFiles() > files + 5) { // those that end soon
      assertThat(System.nanoTime())
          .as("%d threads, %d files", Thread.activeCount(), openFiles())
          .isLessThan(until);
      Thread.sleep(50);
    }
    assertThat(client.get("/ready").status()).isEqualTo(200);
  }

  private static long openFiles() {
    String[] open = new java.io.File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }

  /** What is wrong with the answer; nothing if nothing is. */
  private static String send(Random random) throws IOException, InterruptedException {
    boolean form = random.nextInt(3) == 0;
    byte[] body = broken(random, form ? form(random) : json(random));
    String type =
        switch (random.nextInt(8)) {
          case 0 -> "text/plain";
          case 1 -> "multipart/form-data";
          case 2 -> "application/x-www-form-urlencoded";
          default -> form ? "multipart/form-data; boundary=b" : "application/json";
        };
    Client.Answer answer =
        client.send(
            client
                .to(PATHS.get(random.nextInt(PATHS.size())))
                .header("Content-Type", type)
                .timeout(Duration.ofMinutes(2))
                .POST(BodyPublishers.ofByteArray(body))
                .build());
    boolean told =
        answer.status() == 200
            || !answer.error().isEmpty() && !answer.error().contains("Exception");
    return answer.status() < 500 && told
        ? ""
        : answer.status()
            + " "
            + new String(answer.body(), StandardCharsets.UTF_8)
            + " to "
            + new String(body, StandardCharsets.ISO_8859_1);
  }

  private static byte[] json(Random random) {
    String model = List.of("demo", "flux", "latte", "sora-2").get(random.nextInt(4));
    StringBuilder body =
        new StringBuilder(
            "{\"prompt\":\"a fox\",\"size\":\"32x32\",\"model\":\"%s\"".formatted(model));
    for (int i = random.nextInt(4); i >= 0; i--) {
      body.append(",\"" + fields.get(random.nextInt(fields.size())) + "\":")
          .append(values.get(random.nextInt(values.size())));
    }
    return body.append("}").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] form(Random random) {
    StringBuilder body = new StringBuilder();
    for (int i = random.nextInt(5); i >= 0; i--) {
      String name =
          fields.get(random.nextInt(fields.size())) + (random.nextInt(4) == 0 ? "[]" : "");
      boolean file = random.nextInt(3) == 0;
      body.append("--b\r\nContent-Disposition: form-data; name=\"" + name + "\"")
          .append(file ? "; filename=\"f.png\"\r\nContent-Type: image/png" : "")
          .append("\r\n\r\n")
          .append(values.get(random.nextInt(values.size())).replace("\"", ""))
          .append("\r\n");
    }
    return body.append("--b--\r\n").toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Cuts, repeats or changes bytes, or leaves them. */
  private static byte[] broken(Random random, byte[] body) {
    byte[] changed = body.clone();
    switch (random.nextInt(4)) {
      case 0 -> changed = java.util.Arrays.copyOf(body, random.nextInt(body.length));
      case 1 -> {
        for (int i = 0; i < 3; i++) {
          changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
        }
      }
      case 2 -> {
        changed = java.util.Arrays.copyOf(body, body.length * 2);
        System.arraycopy(body, 0, changed, body.length, body.length);
      }
      default -> {}
    }
    return changed;
  }
}
