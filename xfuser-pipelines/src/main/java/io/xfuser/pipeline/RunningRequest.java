package io.xfuser.pipeline;

import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.runtime.RequestWatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A request at work on the ranks of this JVM. */
final class RunningRequest {
  private final List<CompletableFuture<@Nullable RankResult>> ranks;
  private final Consumer<String> abort;
  private final RequestWatch watch;
  private final ReentrantLock aborting = new ReentrantLock();
  private boolean over; // guarded by aborting

  /**
   * Under way.
   *
   * @param ranks what each will bring back, null where the request pauses
   * @param abort makes all ranks give up what they do, in other JVMs too, for the reason that it is
   *     given
   * @param watch knows what they do
   */
  RunningRequest(
      List<CompletableFuture<@Nullable RankResult>> ranks,
      Consumer<String> abort,
      RequestWatch watch) {
    this.ranks = List.copyOf(ranks);
    this.abort = abort;
    this.watch = watch;
  }

  /** Under way again after a pause. */
  RunningRequest again(List<CompletableFuture<@Nullable RankResult>> others) {
    return new RunningRequest(others, abort, watch);
  }

  /** Makes all ranks give up, if they are still at work; {@code by} is what did: {@code closed}. */
  void cancel(String by) {
    aborting.lock();
    try {
      if (!over) { // else it would be the next request that ends
        abort.accept(by + " while " + watch.activity());
      }
    } finally {
      aborting.unlock();
    }
  }

  /**
   * All results, once no rank is at work any more, none if the request is paused; if ranks failed,
   * the reason of the one that failed first by itself.
   */
  List<RankResult> await() {
    List<RankResult> results = new ArrayList<>();
    Throwable first = null;
    for (CompletableFuture<@Nullable RankResult> rank : ranks) {
      try {
        RankResult result = rank.join(); // the caller's tensors are in use until all have stopped
        if (result != null) {
          results.add(result);
        }
      } catch (CompletionException e) {
        Throwable next = e.getCause() == null ? e : e.getCause();
        first = earlier(first, next);
      }
    }
    end();
    if (first != null) {
      results.forEach(result -> result.pictures().close());
      throw RankFailures.unchecked(first);
    }
    return results;
  }

  private void end() {
    aborting.lock();
    try {
      over = true;
    } finally {
      aborting.unlock();
    }
  }

  /** That a rank heard of another's failure says less than the failure. */
  private static Throwable earlier(@Nullable Throwable known, Throwable next) {
    return known == null || RankFailures.isHeard(known) ? next : known;
  }
}
