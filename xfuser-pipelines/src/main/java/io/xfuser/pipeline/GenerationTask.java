package io.xfuser.pipeline;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.internal.runtime.RequestWatch;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
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
    /** It stopped between two steps; other requests run, and it goes on when it is resumed. */
    PAUSED,
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
  private final RequestQueue.Job job;
  private final Telling telling;
  private volatile RequestCourse course; // another one after a change of ranks
  private final Pauses pauses = new Pauses();
  private volatile @Nullable State end;
  private volatile @Nullable RunningRequest running;
  private volatile @Nullable String cancelledBy;

  /**
   * Not in the queue yet.
   *
   * @param course its way over the ranks, which it says by {@link #started} that they begin
   * @param watching makes what watches it when it begins
   * @param telling makes what tells the listener, of what the listener's cancelling does
   */
  GenerationTask(
      RequestCourse course,
      Function<GenerationTask, RequestWatch> watching,
      Function<Runnable, Telling> telling) {
    this.course = course;
    this.job = new RequestQueue.Job(() -> run(watching), this::fail, this::cancel);
    this.telling = telling.apply(this::cancel);
    var unused = result.whenComplete((generation, failure) -> abandonUnlessOver());
  }

  /** Where it is. */
  public State state() {
    State over = end;
    if (over != null) {
      return over;
    }
    return pauses.paused()
        ? State.PAUSED
        : isStarted() || queue().place(job) == 0 ? State.RUNNING : State.WAITING;
  }

  /** How many requests come before this one, with the one that runs; 0 when it runs or is over. */
  public int place() {
    return Math.max(0, queue().place(job));
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

  /** {@linkplain #pauseAfter Pauses} after the step that is being taken. */
  public CompletableFuture<OptionalInt> pause() {
    return pauseAfter(0);
  }

  /**
   * Has all ranks stop after {@code steps} denoising steps, or after the step that they take where
   * that is later, or before decoding where that was the last. Then the next request has its turn,
   * and this one keeps {@linkplain #keptBytes what it needs} to go on, with the same bits as if it
   * had not stopped. One that waits stops in its turn, before a step of its own.
   *
   * @return how many steps were taken, once it has stopped, completed on another thread; empty if
   *     it was over before
   * @throws UnsupportedOperationException if its ranks have JVMs of their own
   */
  public CompletableFuture<OptionalInt> pauseAfter(int steps) {
    if (course.together()) {
      throw new UnsupportedOperationException(
          "only a request whose ranks are threads of this JVM can be paused");
    }
    CompletableFuture<OptionalInt> told = pauses.ask(() -> course.gate(), steps);
    if (end != null) { // perhaps before it was asked for
      pauses.tell(OptionalInt.empty());
    }
    return told;
  }

  /**
   * Puts a paused request at the end of the queue of its ranks, which go on where they stopped.
   *
   * @throws IllegalStateException if it is not paused
   * @throws ClosedException if its ranks are closed
   */
  public void resume() {
    goOn(() -> course);
  }

  /**
   * Puts a paused request at the end of the queue of {@code ranks}, with other degrees of
   * parallelism for example, which take the steps that are left. The samples with the solver's
   * history and the encoded prompts go there; noise is drawn again from the seed, and pictures of
   * the request are encoded again. Under PipeFusion and DistriFusion the next step is synchronous,
   * because keys and values stay behind.
   *
   * @throws IllegalStateException if it is not paused
   * @throws IllegalArgumentException if {@code ranks} have JVMs of their own or another opened
   *     pipeline, or cannot do it; it stays paused
   * @throws ClosedException if {@code ranks} are closed; the request is over
   */
  public void resume(XDiTParallel ranks) {
    boolean same = ranks.queue().equals(queue());
    goOn(same ? () -> course : course.on(ranks));
  }

  private void goOn(Supplier<RequestCourse> way) {
    if (!queue().unpark(job)) {
      throw new IllegalStateException("the request is not paused, but " + state());
    }
    try {
      RequestCourse next = way.get();
      pauses.end(
          () -> {
            course = next;
            next.gate().open();
          });
      next.queue().add(job, false);
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
  }

  /** Bytes of tensors that it keeps while it is paused, at most; 0 when it is not. */
  public long keptBytes() {
    return state() == State.PAUSED ? course.keptBytes() : 0;
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
    queue().add(job, !course.together());
  }

  private RequestQueue queue() {
    return course.queue();
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
    if (queue().unpark(job)) {
      fail(new CancelledException(by + " while the request was paused"));
      return;
    }
    if (!course.together() && queue().withdraw(job)) {
      String when = course.hasBegun() ? " while the request waited" : " before the request began";
      fail(new CancelledException(by + when));
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

  private Runnable run(Function<GenerationTask, RequestWatch> watching) {
    try {
      Generation generation = course.draw(this, () -> watching.apply(this));
      return generation == null ? this::stopped : () -> done(generation);
    } catch (RuntimeException | Error e) {
      return () -> fail(e);
    }
  }

  private void stopped() {
    running = null;
    pauses.begin();
    queue().park(job);
    String by = cancelledBy; // after the ranks had stopped
    if (by != null) {
      cancel(by);
    }
    pauses.tell(OptionalInt.of(course.gate().taken()));
  }

  private void done(Generation generation) {
    end = State.DONE;
    pauses.tell(OptionalInt.empty());
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
    course.close();
    pauses.end(() -> {});
    pauses.tell(OptionalInt.empty());
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
