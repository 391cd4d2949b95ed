package io.xfuser.pipeline;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The thread on which listeners of one {@link XDiTParallel} are called, so that what they do holds
 * up neither the ranks nor the requests. It is there while there is something to tell.
 */
final class ListenerThread {
  private static final long IDLE_SECONDS = 5;

  private final ThreadPoolExecutor executor =
      new ThreadPoolExecutor(
          1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), this::made);

  private volatile @Nullable Thread thread;

  ListenerThread() {
    executor.allowCoreThreadTimeOut(true);
  }

  private Thread made(Runnable work) {
    Thread made = new Thread(work, "xfuser-listener");
    made.setDaemon(true);
    thread = made;
    return made;
  }

  /** Runs {@code telling} after all that was given before. */
  void execute(Runnable telling) {
    executor.execute(telling);
  }

  /** Whether a listener is calling. */
  boolean isCurrent() {
    return Thread.currentThread().equals(thread);
  }
}
