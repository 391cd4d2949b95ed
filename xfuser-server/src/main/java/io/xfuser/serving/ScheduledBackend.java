package io.xfuser.serving;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import io.xfuser.server.Drawn;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Draws for a server what a {@link Scheduler} decides: requests stop between steps for others, go
 * on with more or fewer ranks, are drawn together where they are alike, and are decoded on a rank
 * of their own while others denoise. Ranks are threads of this JVM.
 */
public final class ScheduledBackend implements Backend {
  private static final long ROUND_MILLIS = 1_000;

  private final ElasticRanks ranks;
  private final Scheduler scheduler;
  private final StepTimes times;
  private final String strategy;
  private final long begin = System.nanoTime();
  private final Map<Long, Together> all = new LinkedHashMap<>(); // guarded by this
  private final ScheduledExecutorService clock;
  private long submitted;
  private boolean closed;

  /**
   * With ranks of their own on {@code pipeline}, which is closed by the caller, after this.
   *
   * @param engine its runtime; its degrees are the scheduler's
   * @param choice who gets what
   * @param times what is known of step times; what is measured is added
   */
  public ScheduledBackend(
      DiffusionPipeline pipeline, EngineConfig engine, Choice choice, StepTimes times) {
    this.ranks = new ElasticRanks(pipeline, engine, choice.ranks());
    this.times = times;
    this.strategy = choice.words();
    this.scheduler = new Scheduler(choice.policy(), choice.ranks(), choice.degree(), times);
    this.clock =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "xfuser-scheduler");
              thread.setDaemon(true);
              return thread;
            });
    var unused =
        clock.scheduleWithFixedDelay(
            this::decide, ROUND_MILLIS, ROUND_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public Set<Setting<?>> settings() {
    return ranks.settings();
  }

  @Override
  public String strategy() {
    return strategy;
  }

  @Override
  public synchronized GenerationRequest check(InputConfig input) {
    return ranks.check(input);
  }

  @Override
  public Task submit(InputConfig input, @Nullable Instant deadline, ProgressListener listener) {
    ScheduledTask task;
    synchronized (this) {
      if (closed) {
        throw new ClosedException("the pipeline is closed");
      }
      GenerationRequest request = ranks.check(input);
      double now = seconds();
      double until =
          deadline == null
              ? Double.POSITIVE_INFINITY
              : now + Duration.between(Instant.now(), deadline).toMillis() / 1e3;
      ElasticRanks.Means means = ranks.means(input);
      ScheduledTask.Asked asked =
          new ScheduledTask.Asked(submitted++, input, request, now, until, means);
      task = new ScheduledTask(this, asked, listener);
      all.put(task.id(), new Together(task));
    }
    decideSoon();
    return task;
  }

  private double seconds() {
    return (System.nanoTime() - begin) / 1e9;
  }

  private void decideSoon() {
    if (!clock.isShutdown()) {
      clock.execute(this::decide);
    }
  }

  private synchronized void decide() {
    List<Work> works =
        all.values().stream().filter(one -> !one.isDecoding()).map(Together::state).toList();
    Scheduler.Commands commands = scheduler.decide(seconds(), works);
    for (Work work : commands.pause()) {
      Together one = of(work);
      one.stopping();
      var unused = Objects.requireNonNull(one.task()).pause();
    }
    for (Grant grant : commands.start()) {
      Together one = of(grant.works().get(0));
      for (Work other : grant.works().subList(1, grant.works().size())) {
        one.join(of(other));
        all.remove(other.id());
      }
      start(one, grant.degree());
    }
  }

  private Together of(Work work) {
    return Objects.requireNonNull(all.get(work.id()));
  }

  private void start(Together one, int degree) {
    XDiTParallel on = ranks.take(degree, one.home());
    try {
      GenerationTask task = one.task();
      if (task == null) {
        task = on.submit(one.input(), progress -> one.progressed(progress, times));
        var unused = task.result().whenComplete((generation, why) -> over(one, generation, why));
      } else {
        task.resume(on);
      }
      one.runs(task, on, degree);
      stopBeforeDecoding(one, task);
    } catch (RuntimeException e) {
      ranks.giveBack(on);
      if (one.task() == null) { // else its result says so
        fail(one, e);
      }
    }
  }

  private void stopBeforeDecoding(Together one, GenerationTask task) {
    var unused = task.pauseAfter(one.steps()).thenAccept(taken -> stopped(one, task, taken));
  }

  /** Its ranks are free: others have their turn, or it is decoded. */
  private void stopped(Together one, GenerationTask task, OptionalInt taken) {
    synchronized (this) {
      if (taken.isEmpty() || !all.containsValue(one)) {
        return; // it is over
      }
      giveBack(one);
      one.stopped(taken.getAsInt());
      if (taken.getAsInt() >= one.steps()) {
        one.decodes();
        try {
          task.resume(ranks.decoder());
        } catch (IllegalStateException | ClosedException e) {
          return; // it was cancelled meanwhile
        }
      }
    }
    decideSoon();
  }

  private void giveBack(Together one) {
    XDiTParallel on = one.ranks();
    if (on != null) {
      ranks.giveBack(on);
    }
  }

  private void over(Together one, @Nullable Generation generation, @Nullable Throwable why) {
    synchronized (this) {
      giveBack(one);
      one.stopped(one.steps());
      all.values().remove(one);
      notifyAll();
    }
    if (generation == null) {
      fail(one, Objects.requireNonNull(why));
    } else {
      try (generation) {
        one.done(Drawn.of(generation).pictures());
      } catch (RuntimeException e) {
        fail(one, e);
      }
    }
    decideSoon();
  }

  private void fail(Together one, Throwable why) {
    synchronized (this) {
      all.values().remove(one);
      notifyAll();
    }
    one.tasks().forEach(task -> task.failed(why));
  }

  /** Has {@code task} given up, unless others that are still wanted are drawn with it. */
  boolean cancelAlone(ScheduledTask task) {
    Together one;
    synchronized (this) {
      one = all.values().stream().filter(x -> x.tasks().contains(task)).findFirst().orElse(null);
      if (one == null) {
        return true; // it is over
      }
      if (one.tasks().stream().anyMatch(x -> x != task && !x.result().isDone())) {
        return false;
      }
    }
    GenerationTask drawing = one.task();
    if (drawing == null) {
      fail(one, new CancelledException("cancelled before the request began"));
    } else {
      drawing.cancel();
    }
    return true;
  }

  /** How many requests came before and have not begun; 0 where it has. */
  synchronized int place(ScheduledTask task) {
    List<Long> waiting = new ArrayList<>();
    all.values().stream().filter(Together::isWaiting).forEach(one -> waiting.add(one.id()));
    return waiting.indexOf(task.id()) + 1;
  }

  @Override
  public synchronized int waiting() {
    return (int) all.values().stream().filter(Together::isWaiting).count();
  }

  @Override
  public synchronized boolean isOpen() {
    return !closed;
  }

  @Override
  public boolean close(Duration limit) {
    List<Together> refused;
    synchronized (this) {
      closed = true;
      refused = all.values().stream().filter(Together::isWaiting).toList();
    }
    ClosedException why = new ClosedException("the pipeline was closed while the request waited");
    refused.forEach(one -> fail(one, why));
    boolean inTime = awaitAll(System.nanoTime() + limit.toNanos());
    List<Together> late;
    synchronized (this) {
      late = List.copyOf(all.values());
    }
    late.forEach(one -> Objects.requireNonNull(one.task()).cancel());
    awaitAll(Long.MAX_VALUE);
    clock.shutdown();
    times.keep();
    synchronized (this) {
      ranks.close();
    }
    return inTime;
  }

  /** Waits until nothing is left; whether that was so by {@code until}, in nanoseconds. */
  private synchronized boolean awaitAll(long until) {
    boolean interrupted = false;
    while (!all.isEmpty() && System.nanoTime() < until) {
      try {
        wait(Math.max(1, Math.min(1_000, (until - System.nanoTime()) / 1_000_000)));
      } catch (InterruptedException e) {
        interrupted = true;
        break;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return all.isEmpty();
  }
}
