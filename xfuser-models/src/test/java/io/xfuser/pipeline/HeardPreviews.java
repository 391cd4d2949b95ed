package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.model.GivenTensors;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Requests whose ranks wait for those who look at previews. */
final class HeardPreviews {
  private HeardPreviews() {}

  /** A rank goes on when what it shows was heard, so that none is left out for a newer one. */
  static GenerationTask submit(
      XDiTParallel ranks, InputConfig input, Consumer<Progress.Preview> shown) {
    Map<String, CompletableFuture<Void>> heard = new ConcurrentHashMap<>();
    ProgressListener listener =
        progress -> {
          if (progress instanceof Progress.Preview preview) {
            shown.accept(preview);
            heard(heard, preview).complete(null);
          }
          return true;
        };
    return ranks.submit(
        input,
        GivenTensors.NONE,
        listener,
        task -> {
          RequestWatch told = task.watch(false);
          return new RequestWatch(
              (rank, progress) -> {
                told.progressed(rank, progress);
                if (progress instanceof Progress.Preview preview) {
                  heard(heard, preview).completeOnTimeout(null, 20, TimeUnit.SECONDS).join();
                }
              },
              false);
        });
  }

  private static CompletableFuture<Void> heard(
      Map<String, CompletableFuture<Void>> heard, Progress.Preview preview) {
    String which = preview.done() + " of " + preview.pictures().get(0).getWidth() + " columns";
    return heard.computeIfAbsent(which, one -> new CompletableFuture<>());
  }
}
