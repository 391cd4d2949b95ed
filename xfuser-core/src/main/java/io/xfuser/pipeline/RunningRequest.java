package io.xfuser.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request at work on the ranks of this JVM.
 *
 * @param ranks what each will bring back
 * @param cancel makes all ranks give up, in other JVMs too, for the reason that it is given
 * @param watch knows what they do
 */
record RunningRequest(List<Future<RankResult>> ranks, Consumer<String> cancel, RequestWatch watch) {

  /**
   * All results, once no rank is at work any more; if ranks failed, the reason of the one that
   * failed first by itself. An interrupt makes all ranks give up, and is not forgotten.
   */
  List<RankResult> await() {
    List<RankResult> results = new ArrayList<>();
    Throwable first = null;
    boolean interrupted = false;
    for (Future<RankResult> rank : ranks) {
      while (true) { // the caller's tensors are in use until the ranks have stopped
        try {
          results.add(rank.get());
          break;
        } catch (InterruptedException e) {
          interrupted = true;
          cancel.accept("interrupted while " + watch.activity());
        } catch (ExecutionException e) {
          first = earlier(first, e.getCause() == null ? e : e.getCause());
          break;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (first != null) {
      results.forEach(result -> result.pictures().close());
    }
    if (first instanceof RuntimeException e) {
      throw e;
    } else if (first instanceof Error e) {
      throw e;
    } else if (first != null) {
      throw new IllegalStateException(first);
    }
    return results;
  }

  /** That a rank heard of another's failure says less than the failure. */
  private static Throwable earlier(@Nullable Throwable known, Throwable next) {
    return known == null || RankFailures.isHeard(known) ? next : known;
  }
}
