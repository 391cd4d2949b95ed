package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.model.GivenTensors;
import io.xfuser.progress.ProgressListener;
import java.util.concurrent.CompletableFuture;

/** Ranks that are at work on a request until this is closed, which cancels it. */
public final class Occupied implements AutoCloseable {
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private final GenerationTask task;

  /** Submits {@code input}, at the first progress of which its ranks stand still. */
  public Occupied(XDiTParallel ranks, InputConfig input) {
    RequestWatch still = new RequestWatch((rank, progress) -> end.join(), false);
    task = ranks.submit(input, GivenTensors.NONE, ProgressListener.NONE, submitted -> still);
  }

  /** Submits {@code input}, told to pause after so many steps before it begins. */
  public static GenerationTask submit(XDiTParallel ranks, InputConfig input, int steps) {
    Occupied before = new Occupied(ranks, input);
    try (before) {
      GenerationTask task = ranks.submit(input);
      var unused = task.pauseAfter(steps);
      return task;
    }
  }

  /** Has {@code task} go on, told to pause again before it does. */
  public static void resume(GenerationTask task, int steps, XDiTParallel ranks, InputConfig input) {
    Occupied before = new Occupied(ranks, input);
    try (before) {
      task.resume();
      var unused = task.pauseAfter(steps);
    }
  }

  @Override
  public void close() {
    task.cancel();
    end.complete(null);
  }
}
