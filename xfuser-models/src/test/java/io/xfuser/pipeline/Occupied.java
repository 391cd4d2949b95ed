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

  @Override
  public void close() {
    task.cancel();
    end.complete(null);
  }
}
