package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.RankException;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import io.xfuser.server.Drawn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A request that ranks with JVMs of their own draw. */
final class RankRequest implements Backend.Task {
  private final RankWorld world;
  private final InputConfig input;
  private final ProgressListener listener;
  private final CompletableFuture<Drawn> result = new CompletableFuture<>();
  private final List<JsonNode> answers = new ArrayList<>();
  private @Nullable RuntimeException failure;

  RankRequest(RankWorld world, InputConfig input, ProgressListener listener) {
    this.world = world;
    this.input = input;
    this.listener = listener;
  }

  void tell(JsonNode message) {
    try {
      Progress progress = RankWire.progress(message);
      if (progress != null && !listener.progressed(progress)) {
        cancel();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the ranks are this program
    }
  }

  /** Whether all ranks have answered. */
  boolean answered(JsonNode message, int size) {
    answers.add(message);
    if (message.path("kind").asText().equals("failed")) {
      RuntimeException told =
          failure(message.path("type").asText(), message.path("message").asText());
      // a rank that failed tells the others, and may be heard after them
      failure = failure == null || failure instanceof RankException ? told : failure;
    }
    return answers.size() == size;
  }

  private static RuntimeException failure(String type, String message) {
    return switch (type) {
      case "CancelledException" -> new CancelledException(message);
      case "MemoryException" ->
          new MemoryException(message, "", new IllegalStateException(message));
      case "ArgumentException", "IllegalArgumentException" -> new IllegalArgumentException(message);
      case "ClosedException" -> new ClosedException(message);
      default -> new RankException(0, "drawing", message);
    };
  }

  void finish() {
    Map<Integer, Drawn.Picture> pictures = new TreeMap<>();
    try {
      if (failure != null) {
        throw failure;
      }
      for (JsonNode answer : answers) {
        RankWire.collect(answer, pictures);
      }
      result.complete(new Drawn(List.copyOf(pictures.values())));
    } catch (IOException | RuntimeException e) {
      result.completeExceptionally(e);
    }
  }

  void fail(RuntimeException why) {
    result.completeExceptionally(why);
  }

  @Override
  public CompletableFuture<Drawn> result() {
    return result;
  }

  @Override
  public void cancel() {
    world.cancel(this);
  }

  @Override
  public int place() {
    return world.place(this);
  }

  InputConfig input() {
    return input;
  }

  /** Whether no rank has failed. */
  boolean isDrawn() {
    return failure == null;
  }
}
