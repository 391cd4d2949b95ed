package io.xfuser.pipeline;

import io.xfuser.failure.ClosedException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.internal.natives.EndWhileComputing;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the ranks are to do, one job after another in the order in which they came, on a thread that
 * runs nothing of the callers'. Its lock is held for moments only, never while a job is at work.
 */
final class RequestQueue {
  /** Jobs that may wait, unless something else is asked for. */
  static final int USUAL_BOUND = 64;

  private static final String CLOSED_WHILE_PAUSED =
      "the pipeline was closed while the request was paused";

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Job> waiting = new ArrayDeque<>();
  private final Set<Job> parked = new LinkedHashSet<>(); // begun, and not in the queue
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final Runnable last;
  private @Nullable Job current; // at work, or about to be
  private int bound = USUAL_BOUND;
  private boolean closed;

  /** Empty; {@code last} runs after the last job, once this is closed. */
  RequestQueue(Runnable last) {
    this.last = last;
  }

  /** Starts its thread. */
  RequestQueue start() {
    Thread thread = new Thread(this::serve, "xfuser-requests");
    thread.setDaemon(true);
    thread.start();
    return this;
  }

  /**
   * Something for all ranks of this process to do.
   *
   * @param work returns when it is over, and throws nothing; what it gives tells the caller, once
   *     the next one has its place
   * @param refuse is told why it will not be done
   * @param cancel ends it early, if it is at work; is told by what: {@code closed}
   */
  record Job(Supplier<Runnable> work, Consumer<RuntimeException> refuse, Consumer<String> cancel) {}

  /**
   * Adds {@code job} at the end.
   *
   * @param bounded whether it is refused where too many wait
   */
  void add(Job job, boolean bounded) {
    lock.lock();
    try {
      if (closed) {
        throw new ClosedException("the pipeline is closed");
      } else if (current == null) {
        current = job;
        changed.signalAll();
      } else if (bounded && waiting.size() >= bound) {
        throw new QueueFullException(waiting.size(), bound);
      } else {
        waiting.add(job);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Keeps {@code job}, which was at work, until it is {@linkplain #unpark taken out}. */
  void park(Job job) {
    boolean refused;
    lock.lock();
    try {
      refused = closed;
      if (!refused) {
        parked.add(job);
      }
    } finally {
      lock.unlock();
    }
    if (refused) {
      job.refuse().accept(new ClosedException(CLOSED_WHILE_PAUSED));
    }
  }

  /** Takes {@code job} out, if it is kept; whether it was. */
  boolean unpark(Job job) {
    lock.lock();
    try {
      return parked.remove(job);
    } finally {
      lock.unlock();
    }
  }

  /** Takes {@code job} out, if it still waits; whether it did. */
  boolean withdraw(Job job) {
    lock.lock();
    try {
      return waiting.remove(job);
    } finally {
      lock.unlock();
    }
  }

  /** How many jobs come before {@code job}; 0 if it is at work, −1 if it is not here. */
  int place(Job job) {
    lock.lock();
    try {
      int place = List.copyOf(waiting).indexOf(job);
      return place >= 0 ? place + 1 : job.equals(current) ? 0 : -1;
    } finally {
      lock.unlock();
    }
  }

  /** Jobs that wait, without the one at work. */
  int length() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** As many may wait from now on; those that do already stay. */
  void limit(int most) {
    lock.lock();
    try {
      bound = most;
    } finally {
      lock.unlock();
    }
  }

  /** Why one more has no room, if it has none. */
  @Nullable QueueFullException full() {
    lock.lock();
    try {
      boolean room = current == null || waiting.size() < bound;
      return room ? null : new QueueFullException(waiting.size(), bound);
    } finally {
      lock.unlock();
    }
  }

  boolean isOpen() {
    lock.lock();
    try {
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void serve() {
    for (Job job = next(); job != null; job = next()) {
      Runnable tell = EndWhileComputing.during(job.work());
      over();
      tell.run();
    }
    try {
      last.run();
      ended.complete(null);
    } catch (RuntimeException | Error e) {
      ended.completeExceptionally(e);
    }
  }

  private @Nullable Job next() {
    lock.lock();
    try {
      while (current == null && !closed) {
        changed.awaitUninterruptibly();
      }
      return current;
    } finally {
      lock.unlock();
    }
  }

  private void over() {
    lock.lock();
    try {
      current = waiting.poll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Refuses all that waits or comes later, and waits for the job at work; if it takes longer than
   * {@code limit}, or the thread is interrupted, that is cancelled.
   *
   * @param limit null = as long as it takes, whatever interrupts
   * @return whether nothing had to be cancelled
   */
  boolean close(@Nullable Duration limit) {
    refuseAll();
    boolean interrupted = false;
    boolean inTime = true;
    try {
      if (limit != null) {
        ended.get(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
      }
    } catch (TimeoutException e) {
      inTime = false;
    } catch (InterruptedException e) {
      interrupted = true;
      inTime = false;
    } catch (ExecutionException e) {
      // thrown below
    }
    if (!inTime) {
      cancelCurrent();
    }
    try {
      ended.join();
    } catch (CompletionException e) {
      throw RankFailures.unchecked(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    return inTime;
  }

  private void refuseAll() {
    List<Job> refused;
    List<Job> paused;
    lock.lock();
    try {
      closed = true;
      refused = List.copyOf(waiting);
      waiting.clear();
      paused = List.copyOf(parked);
      parked.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    refused.forEach(
        job ->
            job.refuse()
                .accept(new ClosedException("the pipeline was closed while the request waited")));
    paused.forEach(job -> job.refuse().accept(new ClosedException(CLOSED_WHILE_PAUSED)));
  }

  private void cancelCurrent() {
    Job job;
    lock.lock();
    try {
      job = current;
    } finally {
      lock.unlock();
    }
    if (job != null) {
      job.cancel().accept("closed");
    }
  }
}
