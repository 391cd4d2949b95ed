package io.xfuser.pipeline;

import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells one request's listener of its progress, in order, on a thread of its own. Of a phase that
 * goes on faster than the listener hears, the beginning and the end wait, and the newest between.
 */
final class Telling {
  private static final long PATIENCE_MILLIS = 1_000;

  private final GuardedListener listener;
  private final ListenerThread thread = new ListenerThread();
  private final Runnable cancel;
  private final Map<String, Integer> tellers = new ConcurrentHashMap<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Progress> pending = new ArrayDeque<>(); // guarded by lock
  private final CompletableFuture<Void> told = new CompletableFuture<>();

  /** Nothing told yet; {@code cancel} is what the listener's {@code false} does. */
  Telling(ProgressListener listener, Runnable cancel) {
    this.listener = new GuardedListener(listener);
    this.cancel = cancel;
  }

  /**
   * Returns at once; the listener hears of it in its turn, if {@code rank} is the first here to
   * come to this phase.
   */
  void tell(int rank, Progress progress) {
    if (listener.isMute() || tellers.computeIfAbsent(told(progress), phase -> rank) != rank) {
      return;
    }
    lock.lock();
    try {
      boolean idle = pending.isEmpty();
      pending.removeIf(old -> isBetween(old) && told(old).equals(told(progress)));
      pending.add(progress);
      if (idle) {
        thread.execute(this::drain);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * A phase; of unfinished pictures their size too, as other ranks decode them than map latents.
   */
  private static String told(Progress progress) {
    return progress instanceof Progress.Preview shown
        ? "%s of %d columns".formatted(shown.doing(), shown.pictures().get(0).getWidth())
        : progress.doing();
  }

  private static boolean isBetween(Progress progress) {
    return progress.done() > 0 && !progress.complete();
  }

  private void drain() {
    for (Progress next = next(); next != null; next = next()) {
      if (!listener.progressed(next)) {
        cancel.run();
      }
    }
  }

  private @Nullable Progress next() {
    lock.lock();
    try {
      return pending.poll();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing more is told. */
  void end() {
    if (listener.isMute()) {
      told.complete(null);
    } else {
      thread.execute(() -> told.complete(null));
    }
  }

  /**
   * Waits for {@code outcome}, until which what the caller gave is in use, and a moment for the
   * listener to have heard everything, unless it is the one that waits.
   *
   * @param stop is told of an interrupt, which is not forgotten
   */
  <T> T await(CompletableFuture<T> outcome, Consumer<String> stop) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          T result = outcome.get();
          awaitTold();
          return result;
        } catch (InterruptedException e) {
          interrupted = true;
          stop.accept("interrupted");
        } catch (ExecutionException e) {
          throw RankFailures.unchecked(e);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void awaitTold() throws InterruptedException, ExecutionException {
    if (thread.isCurrent()) {
      return;
    }
    try {
      told.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      // it lags, and hears the rest later
    }
  }
}
