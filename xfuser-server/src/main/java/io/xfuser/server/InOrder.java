package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One after another, as the ranks' own queue has them. */
record InOrder(XDiTParallel ranks) implements Backend {
  @Override
  public GenerationRequest check(InputConfig input) {
    return ranks.check(input);
  }

  @Override
  public Task submit(InputConfig input, @Nullable Instant deadline, ProgressListener listener) {
    GenerationTask task = ranks.submit(input, listener);
    return new Queued(task, task.result().thenApply(Drawn::of));
  }

  @Override
  public Set<Setting<?>> settings() {
    return ranks.settings();
  }

  @Override
  public String strategy() {
    return Strategy.words(ranks.engine());
  }

  @Override
  public int waiting() {
    return ranks.waiting();
  }

  @Override
  public boolean isOpen() {
    return ranks.isOpen();
  }

  @Override
  public boolean close(Duration limit) {
    return ranks.close(limit);
  }

  private record Queued(GenerationTask task, CompletableFuture<Drawn> result) implements Task {
    @Override
    public void cancel() {
      task.cancel();
    }

    @Override
    public int place() {
      return task.place();
    }
  }
}
