package io.xfuser.cli.launch;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;

/** Where what is not done here and now is done. */
interface Later {
  /** On threads of Java's pool. */
  Later POOL =
      (millis, what) ->
          (millis == 0
                  ? ForkJoinPool.commonPool()
                  : CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS))
              .execute(what);

  /** Has {@code what} done after so many milliseconds, never on this thread. */
  void run(long millis, Runnable what);
}
