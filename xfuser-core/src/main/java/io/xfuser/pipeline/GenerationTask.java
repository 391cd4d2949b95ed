package io.xfuser.pipeline;

import io.xfuser.failure.CancelledException;
import io.xfuser.internal.runtime.RequestWatch;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A request that was {@linkplain XDiTParallel#submit submitted}: it waits for those before it,
 * runs, and is over. Any thread may call.
 */
public final class GenerationTask {
  /** Where a request is. */
  public enum State {
    /** Others come before it. */
    WAITING,
    /** The ranks are at work on it. */
    RUNNING,
    /** The pictures are there. */
    DONE,
    /** It was cancelled, and no rank is at work on it any more. */
    CANCELLED,
    /** It failed or was refused, and no rank is at work on it any more. */
    FAILED
  }

  private static final long POLL_NANOS = 20_000;

  /** Completed after the result, by the queue's thread, where nothing of the caller's may run. */
  private final CompletableFuture<Generation> outcome = new CompletableFuture<>();

  private final CompletableFuture<Generation> result = new CompletableFuture<>();
  private final RequestQueue queue;
  private final RequestQueue.Job job;
  private final Telling telling;
  private final boolean together;
  private volatile @Nullable State end;
  private volatile @Nullable RunningRequest running;
  private volatile @Nullable String cancelledBy;

  /**
   * Not in the queue yet.
   *
   * @param draw starts it, says so by {@link #started}, and waits for it
   * @param telling makes what tells the listener, of what the listener's cancelling does
   * @param together whether ranks in other JVMs have the same request in their queues, and hear
   *     that it is cancelled in its turn
   */
  GenerationTask(
      RequestQueue queue,
      Function<GenerationTask, Generation> draw,
      Function<Runnable, Telling> telling,
      boolean together) {
    this.queue = queue;
    this.job = new RequestQueue.Job(() -> run(draw), this::fail, this::cancel);
    this.telling = telling.apply(this::cancel);
    this.together = together;
    var unused = result.whenComplete((generation, failure) -> abandonUnlessOver());
  }

  /** Where it is. */
  public State state() {
    State over = end;
    return over != null
        ? over
        : isStarted() || queue.place(job) == 0 ? State.RUNNING : State.WAITING;
  }

  /** How many requests come before this one, with the one that runs; 0 when it runs or is over. */
  public int place() {
    return Math.max(0, queue.place(job));
  }

  /**
   * Has all ranks give it up, within a step or a layer, or takes it out of the queue. Returns at
   * once; {@link #await} and {@link #result} then throw {@link CancelledException}, unless it was
   * over already. Where ranks have JVMs of their own, one that waits stays until its turn, because
   * the other ranks wait for it too.
   */
  public void cancel() {
    cancel("cancelled");
  }

  /**
   * Waits for the pictures, which are the caller's to close. An interrupt cancels the request, and
   * is not forgotten. The listener has been told everything by then, unless it lags by more than a
   * second or is the caller.
   *
   * @throws RuntimeException as {@link XDiTParallel#generate(io.xfuser.config.InputConfig)}
   */
  public Generation await() {
    return telling.await(outcome, this::cancel);
  }

  /**
   * The pictures, when they are there, or what {@link #await} throws. What depends on it runs on a
   * thread of its own and may do anything, {@code generate} included. Whoever completes it by other
   * means, {@code cancel} or {@code orTimeout} for example, cancels the request.
   */
  public CompletableFuture<Generation> result() {
    return result;
  }

  /** Watches it for its listener; {@code traces} says whether what ranks do is recorded. */
  RequestWatch watch(boolean traces) {
    return new RequestWatch(telling::tell, traces);
  }

  void enqueue() {
    queue.add(job, !together);
  }

  /** Whether there is something to cancel. */
  boolean isStarted() {
    return running != null;
  }

  /** The ranks are at work. */
  void started(RunningRequest request) {
    running = request;
    String by = cancelledBy; // before there was anything to cancel
    if (by != null) {
      request.cancel(by);
    }
  }

  private void cancel(String by) {
    if (!together && queue.withdraw(job)) {
      fail(new CancelledException(by + " before the request began"));
      return;
    }
    cancelledBy = by;
    RunningRequest request = running;
    if (request != null) {
      request.cancel(by);
    }
  }

  private void abandonUnlessOver() {
    if (end == null) {
      cancel();
    }
  }

  private Runnable run(Function<GenerationTask, Generation> draw) {
    try {
      Generation generation = draw.apply(this);
      return () -> done(generation);
    } catch (RuntimeException | Error e) {
      return () -> fail(e);
    }
  }

  private void done(Generation generation) {
    end = State.DONE;
    telling.end();
    complete(() -> result.complete(generation));
    if (result.isCompletedExceptionally() || !generation.equals(result.getNow(null))) {
      generation.close();
      end = State.CANCELLED;
      outcome.completeExceptionally(new CancelledException("nobody wanted the pictures any more"));
    } else {
      outcome.complete(generation);
    }
  }

  private void fail(Throwable why) {
    end = why instanceof CancelledException ? State.CANCELLED : State.FAILED;
    telling.end();
    complete(() -> result.completeExceptionally(why));
    outcome.completeExceptionally(why);
  }

  /**
   * Returns once {@link #result} is complete. What the caller has added to it runs on another
   * thread, and may take as long as it likes.
   */
  private void complete(Runnable completion) {
    Thread thread = new Thread(completion, "xfuser-result");
    thread.setDaemon(true);
    thread.start();
    while (!result.isDone()) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }
}
