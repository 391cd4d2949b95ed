package io.xfuser.spring;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Draws for the application, and keeps the account that health and metrics tell: what goes to the
 * {@link XDiTParallel} itself is not in it. Any thread may call.
 */
public final class Drawings {
  /** Hears of every request that is over. */
  interface Observer {
    /**
     * Called by the thread that waited for it.
     *
     * @param outcome {@code done}, {@code cancelled}, {@code refused} or {@code failed}
     * @param took with the time that it waited
     */
    void over(String outcome, Duration took, @Nullable Generation drawn);
  }

  private final XDiTParallel ranks;
  private final List<Observer> observers = new CopyOnWriteArrayList<>();
  private int under; // requests that wait or run
  private long movedAt;
  private String moved = "";

  Drawings(XDiTParallel ranks) {
    this.ranks = ranks;
  }

  /** Draws what {@code input} asks for, with another seed each time where it has none. */
  public Generation draw(InputConfig input) {
    return draw(input, ProgressListener.NONE);
  }

  /**
   * The same, and tells {@code listener} of all progress.
   *
   * @throws RuntimeException as {@link XDiTParallel#generate(InputConfig)}
   */
  public Generation draw(InputConfig input, ProgressListener listener) {
    boolean seeded = input.has(InputConfig.SEED) || input.has(InputConfig.SEEDS);
    InputConfig asked =
        seeded
            ? input
            : input.toBuilder().seed(ThreadLocalRandom.current().nextLong(1L << 32)).build();
    long began = System.nanoTime();
    String outcome = "failed";
    Generation drawn = null;
    count(1);
    try {
      drawn = ranks.generate(asked, progress -> move(progress) && listener.progressed(progress));
      outcome = "done";
      return drawn;
    } catch (CancelledException e) {
      outcome = "cancelled";
      throw e;
    } catch (IllegalArgumentException | QueueFullException | ClosedException e) {
      outcome = "refused";
      throw e;
    } finally {
      count(-1);
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      for (Observer observer : observers) {
        observer.over(outcome, took, drawn);
      }
    }
  }

  /** What was done last, if there are requests and none of them got on for {@code limit}. */
  synchronized Optional<String> stalled(Duration limit) {
    return under > 0 && System.nanoTime() - movedAt > limit.toNanos()
        ? Optional.of(moved)
        : Optional.empty();
  }

  void observe(Observer observer) {
    observers.add(observer);
  }

  int waiting() {
    return ranks.waiting();
  }

  boolean isOpen() {
    return ranks.isOpen();
  }

  private synchronized void count(int more) {
    if (under == 0 || more < 0) { // one that comes to others does not move them
      movedAt = System.nanoTime();
      moved = "waiting";
    }
    under += more;
  }

  private synchronized boolean move(Progress progress) {
    movedAt = System.nanoTime();
    moved = progress.line();
    return true;
  }
}
