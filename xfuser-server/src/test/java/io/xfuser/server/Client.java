package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import javax.imageio.ImageIO;

/** Asks a server of a test. */
record Client(int port, HttpClient http) {
  static final JsonMapper JSON = new JsonMapper();

  static Client of(ImageServer server) {
    return new Client(server.port(), HttpClient.newHttpClient());
  }

  /**
   * What was answered.
   *
   * @param status of HTTP
   * @param body as it came
   * @param headers of it
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Answer(int status, byte[] body, java.net.http.HttpHeaders headers) {
    JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new AssertionError("no JSON: " + new String(body, StandardCharsets.UTF_8), e);
      }
    }

    String error() {
      return json().at("/error/message").asText();
    }

    byte[] picture(int number) {
      return Base64.getDecoder().decode(json().at("/data/" + number + "/b64_json").asText());
    }

    BufferedImage pixels() throws IOException {
      return ImageIO.read(new ByteArrayInputStream(picture(0)));
    }
  }

  HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  Answer send(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<byte[]> answer = http.send(request, BodyHandlers.ofByteArray());
    return new Answer(answer.statusCode(), answer.body(), answer.headers());
  }

  static HttpRequest.Builder json(HttpRequest.Builder to, String body) {
    return to.header("Content-Type", "application/json").POST(BodyPublishers.ofString(body));
  }

  Answer post(String path, String body) throws IOException, InterruptedException {
    return send(json(to(path), body).build());
  }

  CompletableFuture<Answer> postLater(String path, String body) {
    return http.sendAsync(json(to(path), body).build(), BodyHandlers.ofByteArray())
        .thenApply(answer -> new Answer(answer.statusCode(), answer.body(), answer.headers()));
  }

  Answer get(String path) throws IOException, InterruptedException {
    return send(to(path).build());
  }

  /** Until so many requests of the demo model are there. */
  void awaitPresent(int count) throws IOException, InterruptedException {
    String line = "xfuser_requests_present{model=\"demo\"} %d.0".formatted(count);
    long until = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!new String(get("/metrics").body(), StandardCharsets.UTF_8).contains(line)) {
      assertThat(System.nanoTime()).as(line).isLessThan(until);
      Thread.sleep(5);
    }
  }
}
