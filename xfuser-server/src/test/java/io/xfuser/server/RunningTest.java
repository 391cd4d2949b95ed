package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What whoever runs a server relies on. */
class RunningTest {
  private static final String GENERATIONS = "/v1/images/generations";
  private static final String LONG =
      "{\"prompt\":\"a fox\",\"num_inference_steps\":600,\"seed\":%d}";

  private static XDiTParallel ranks;

  @BeforeAll
  static void open() {
    ranks = DemoServer.ranks();
  }

  @AfterAll
  static void close() {
    ranks.close();
  }

  /** Draws after all that came before, so that the next server finds ranks that are at rest. */
  @AfterEach
  void waitForRanks() {
    var unused = ranks.generate(DemoServer.input(0));
  }

  /** The same ranks for several servers, each of which closes its own backend. */
  private static ImageServer.Builder server() {
    InOrder drawing = new InOrder(ranks);
    return ImageServer.builder().port(0).model("demo", new KeptOpen(drawing));
  }

  @Test
  void closedConnectionEndsItsRequest() throws IOException, InterruptedException {
    try (ImageServer server = server().start()) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
      String body = LONG.formatted(1);
      socket
          .getOutputStream()
          .write(
              ("POST "
                      + GENERATIONS
                      + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
                      + body.length()
                      + "\r\n\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII));
      Client client = Client.of(server);
      client.awaitPresent(1);
      socket.close();
      client.awaitPresent(0);
    }
  }

  @Test
  void oneMoreThanMayWaitIsToldWhenToComeBack() throws IOException, InterruptedException {
    try (ImageServer server = server().set(ServerSettings.MAX_WAITING, 1).start()) {
      Client client = Client.of(server);
      List<CompletableFuture<Client.Answer>> taken = new ArrayList<>();
      for (int seed = 0; seed < 2; seed++) {
        taken.add(client.postLater(GENERATIONS, LONG.formatted(seed)));
        client.awaitPresent(seed + 1);
      }
      Client.Answer refused = client.post(GENERATIONS, LONG.formatted(2));
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.json().at("/error/type").asText()).isEqualTo("rate_limit_error");
      assertThat(refused.headers().firstValueAsLong("retry-after").orElse(0)).isPositive();
      server.close(Duration.ZERO);
      for (CompletableFuture<Client.Answer> answer : taken) {
        assertThat(answer.join().status()).isEqualTo(503);
        assertThat(answer.join().error()).isEqualTo("the server has ended");
      }
    }
  }

  @Test
  void streamHasWhatWasToldBeforeItCouldListen() throws IOException, InterruptedException {
    Backend over = // before the request has been taken
        new KeptOpen(new InOrder(ranks)) {
          @Override
          public Task submit(
              InputConfig input, @Nullable Instant deadline, ProgressListener listener) {
            Task task = super.submit(input, deadline, listener);
            task.result().join();
            return task;
          }
        };
    try (ImageServer server = ImageServer.builder().port(0).model("demo", over).start()) {
      String body =
          "{\"prompt\":\"a fox\",\"num_inference_steps\":3,\"stream\":true,\"partial_images\":1}";
      Client.Answer answer = Client.of(server).post(GENERATIONS, body);
      String events = new String(answer.body(), StandardCharsets.UTF_8);
      assertThat(events.lines().filter(line -> line.startsWith("event: ")))
          .containsExactly(
              "event: image_generation.partial_image", "event: image_generation.completed");
    }
  }

  @Test
  void endingServerFinishesWhatItHasAndIsNotReady() throws IOException, InterruptedException {
    ImageServer server = server().start();
    Client client = Client.of(server);
    CompletableFuture<Client.Answer> running =
        client.postLater(
            GENERATIONS, "{\"prompt\":\"a fox\",\"num_inference_steps\":60,\"size\":\"32x32\"}");
    client.awaitPresent(1);
    CompletableFuture<Void> end =
        CompletableFuture.runAsync(() -> server.close(Duration.ofSeconds(60)));
    Client.Answer ready = client.get("/ready");
    while (ready.status() == 200) {
      ready = client.get("/ready");
    }
    assertThat(ready.json().get("reason").asText()).isEqualTo("the server is about to end");
    assertThat(client.post(GENERATIONS, DemoServer.body(1)).status()).isEqualTo(503);
    assertThat(running.join().status()).isEqualTo(200);
    end.join();
  }

  @Test
  void stalledModelIsNotReady() throws IOException, InterruptedException {
    try (ImageServer server = server().set(ServerSettings.STALL_SECONDS, 0.001).start()) {
      Client client = Client.of(server);
      assertThat(client.get("/ready").status()).isEqualTo(200);
      var unused = client.postLater(GENERATIONS, LONG.formatted(3));
      client.awaitPresent(1);
      Client.Answer ready = client.get("/ready");
      while (ready.status() == 200) { // a step may just have been told of
        ready = client.get("/ready");
      }
      assertThat(ready.json().get("reason").asText()).contains("has told of no progress for");
      server.close(Duration.ZERO);
    }
  }

  @Test
  void keysLetIn(@TempDir Path directory) throws IOException, InterruptedException {
    Path keys = Files.writeString(directory.resolve("keys"), "# ours\nsecret\nother\n");
    try (ImageServer server = server().set(ServerSettings.API_KEY_FILE, keys).start()) {
      Client client = Client.of(server);
      Client.Answer none = client.post(GENERATIONS, DemoServer.body(1));
      assertThat(none.status()).isEqualTo(401);
      assertThat(none.json().at("/error/code").asText()).isEqualTo("invalid_api_key");
      HttpRequest.Builder wrong = client.to("/v1/models").header("Authorization", "Bearer secre");
      assertThat(client.send(wrong.build()).status()).isEqualTo(401);
      HttpRequest.Builder right = client.to("/v1/models").header("Authorization", "Bearer other");
      assertThat(client.send(right.build()).status()).isEqualTo(200);
      assertThat(client.get("/health").status()).isEqualTo(200);
    }
    Files.writeString(keys, "\n");
    assertThatThrownBy(() -> server().set(ServerSettings.API_KEY_FILE, keys).start())
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("has no key");
  }

  @Test
  void longBodyIsNotRead() throws IOException, InterruptedException {
    try (ImageServer server = server().set(ServerSettings.MAX_BODY_BYTES, 1000).start()) {
      Client.Answer answer =
          Client.of(server).post(GENERATIONS, "{\"prompt\":\"" + "a".repeat(1000) + "\"}");
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.error()).contains("more than 1000 bytes");
    }
  }

  @Test
  void takenPortIsToldOf() {
    try (ImageServer server = server().start()) {
      assertThatThrownBy(() -> server().port(server.port()).start())
          .isInstanceOf(ArgumentException.class)
          .hasMessageContaining("127.0.0.1:" + server.port() + " cannot be listened on");
    }
  }

  @Test
  void everyRouteIsDescribedAndEveryDescribedOneAnswers() throws IOException, InterruptedException {
    try (ImageServer server = server().start()) {
      Client client = Client.of(server);
      JsonNode paths = client.get("/openapi.json").json().get("paths");
      for (Map.Entry<String, JsonNode> path : paths.properties()) {
        for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
          Client.Answer answer =
              client.send(
                  client
                      .to(path.getKey().replaceAll("[{}]", ""))
                      .method(
                          method.getKey().toUpperCase(java.util.Locale.ROOT),
                          HttpRequest.BodyPublishers.ofString("{"))
                      .build());
          String text = new String(answer.body(), StandardCharsets.UTF_8);
          assertThat(text).as(path.getKey()).doesNotContain("there is nothing to");
          assertThat(answer.status()).as(path.getKey()).isLessThan(500);
        }
      }
      String described =
          paths.properties().stream()
              .map(Map.Entry::getKey)
              .map(path -> path.replaceAll("\\{(\\w+)}", ":$1"))
              .sorted()
              .collect(Collectors.joining(" "));
      assertThat(server.routes()).isEqualTo(described);
    }
  }

  /** Closes nothing. */
  private static class KeptOpen implements Backend {
    private final Backend backend;

    KeptOpen(Backend backend) {
      this.backend = backend;
    }

    @Override
    public GenerationRequest check(InputConfig input) {
      return backend.check(input);
    }

    @Override
    public Task submit(InputConfig input, @Nullable Instant deadline, ProgressListener listener) {
      return backend.submit(input, deadline, listener);
    }

    @Override
    public int waiting() {
      return backend.waiting();
    }

    @Override
    public boolean isOpen() {
      return backend.isOpen();
    }

    @Override
    public boolean close(Duration limit) {
      return true;
    }
  }
}
