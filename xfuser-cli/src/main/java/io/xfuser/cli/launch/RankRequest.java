package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
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
  private boolean mute; // guarded by this

  RankRequest(RankWorld world, InputConfig input, ProgressListener listener) {
    this.world = world;
    this.input = input;
    this.listener = listener;
  }

  /** Tells the listener, one event at a time, though several ranks may tell. */
  synchronized void tell(JsonNode message) {
    Progress progress = progress(message);
    if (mute || progress == null) {
      return;
    }
    boolean goOn = true;
    try {
      goOn = listener.progressed(progress);
      mute = !goOn;
    } catch (RuntimeException e) {
      mute = true; // the request goes on without it
    }
    if (!goOn) {
      cancel();
    }
  }

  private static @Nullable Progress progress(JsonNode message) {
    try {
      return RankWire.progress(message);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the ranks are this program
    }
  }

  /** Whether all ranks have answered. */
  boolean answered(int rank, JsonNode message, int size) {
    answers.add(message);
    if (message.path("kind").asText().equals("failed")) {
      RuntimeException told = RankWire.failure(rank, message);
      // a rank that failed tells the others, and may be heard after them
      boolean better = failure == null || (isHearsay(failure) && !isHearsay(told));
      failure = better ? told : failure;
    }
    return answers.size() == size;
  }

  private static boolean isHearsay(RuntimeException failure) {
    return failure instanceof RankException
        || failure instanceof CommunicationException
        || failure instanceof ClosedException;
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
