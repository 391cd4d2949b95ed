package io.xfuser.pipeline;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The thread on which the listener of one request is called, so that what it does holds up neither
 * ranks nor requests nor other listeners. It is there while there is something to tell.
 */
final class ListenerThread {
  private static final long IDLE_SECONDS = 1;

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

  /** Whether the listener is calling. */
  boolean isCurrent() {
    return Thread.currentThread().equals(thread);
  }
}
