package io.xfuser.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.xfuser.config.ModelName;
import io.xfuser.failure.HubException;
import io.xfuser.progress.ProgressListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class StallWatchTest {
  private @TempDir Path folder = Path.of("");

  @Test
  @Timeout(120)
  void aServerThatFallsSilentIsGivenUp() throws IOException {
    CountDownLatch end = new CountDownLatch(1);
    AtomicBoolean first = new AtomicBoolean(true);
    HttpServer silent =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    silent.createContext(
        "/",
        exchange -> {
          if (first.getAndSet(false)) {
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
            return;
          }
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write(new byte[10]);
          exchange.getResponseBody().flush();
          try {
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    ExecutorService answering = Executors.newCachedThreadPool(); // each request on its own
    silent.setExecutor(answering);
    silent.start();
    try {
      URI address = URI.create("http://127.0.0.1:" + silent.getAddress().getPort());
      RetryPolicy patience = new RetryPolicy(1, Duration.ofMillis(1), Duration.ofSeconds(2));
      HubClient client =
          new HubClient(
              new HubSettings(address, null, folder, false),
              ModelName.parse("org/name").orElseThrow(),
              patience);
      assertThatThrownBy(client::listing) // from now on it is not the client that takes long
          .hasMessageStartingWith("there is neither");
      Transfer transfer = new Transfer(client, "c", patience, ProgressListener.NONE);
      assertThatThrownBy(
              () -> transfer.receive(new RemoteFile("f", "tag", 100), folder.resolve("tag")))
          .isInstanceOf(HubException.class)
          .hasMessageContaining("broke off 1 times at byte 10 of 100")
          .hasMessageContaining("nothing came for");
      assertThatThrownBy(client::listing)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("nothing came for");
    } finally {
      end.countDown();
      silent.stop(0);
      answering.shutdownNow();
    }
    assertThat(folder.resolve("tag.incomplete")).hasSize(10);
  }
}
