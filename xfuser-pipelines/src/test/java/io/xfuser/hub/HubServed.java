package io.xfuser.hub;

import io.xfuser.config.ModelName;
import io.xfuser.progress.Progress.Downloading;
import io.xfuser.progress.ProgressListener;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests of a hub share: a server with one model, and an empty cache. */
abstract class HubServed {
  static final String REPOSITORY = "org/tiny.model-1";
  static final RetryPolicy QUICK = new RetryPolicy(3, Duration.ofMillis(1), Duration.ofSeconds(30));

  final List<Downloading> progress = Collections.synchronizedList(new ArrayList<>());
  @TempDir Path cache = Path.of("");
  HubServer server;

  @BeforeEach
  void serve() throws IOException {
    server = new HubServer(REPOSITORY);
    TinyModel.files().forEach(server::with);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  final Path fetch(@Nullable String variant) {
    return hub(false, null).fetch(name(REPOSITORY), variant, index -> {});
  }

  static Path fetch(Hub hub, String name) {
    return hub.fetch(name(name), null, index -> {});
  }

  final Hub hub(boolean offline, @Nullable String token) {
    return new Hub(settings(server.endpoint(), offline, token), heard(), QUICK);
  }

  /** Keeps what it hears in {@link #progress}. */
  final ProgressListener heard() {
    return told -> progress.add((Downloading) told);
  }

  final HubSettings settings(URI endpoint, boolean offline, @Nullable String token) {
    return new HubSettings(endpoint, token, cache, offline);
  }

  static ModelName name(String text) {
    return ModelName.parse(text).orElseThrow();
  }

  /** The files whose content was asked for, in the order of the requests. */
  final List<String> contentRequests() {
    return server.requests().stream()
        .filter(request -> request.method().equals("GET") && !request.toHub())
        .map(request -> request.path().substring(1))
        .toList();
  }

  static List<String> files(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder)) {
      return found
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString())
          .sorted()
          .toList();
    }
  }
}
