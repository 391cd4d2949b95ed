package io.xfuser.server;

import io.xfuser.failure.CancelledException;
import io.xfuser.progress.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One thing that is drawn, for all who asked for it; given up when nobody wants it any more. */
final class Drawing {
  private final Model model;
  private final CompletableFuture<Drawn> result = new CompletableFuture<>();
  private final List<Consumer<Progress>> told = new ArrayList<>(); // guarded by itself
  private @Nullable List<Progress> unheard; // guarded by told
  private final long asked = System.nanoTime();
  private volatile long began;
  private volatile Backend.@Nullable Task task;
  private volatile boolean given;
  private volatile int percent;

  /**
   * Nothing is drawn yet.
   *
   * @param streamed whether someone will {@linkplain #listen listen}, to the beginning too
   */
  Drawing(Model model, boolean streamed) {
    this.model = model;
    this.unheard = streamed ? new ArrayList<>() : null;
  }

  /** It has its place in the queue. */
  void starts(Backend.Task taken) {
    task = taken;
    var unused =
        taken
            .result()
            .whenComplete(
                (drawn, failure) -> {
                  model.over(this);
                  model.metrics().over(this, failure);
                  if (failure == null) {
                    result.complete(drawn);
                  } else {
                    result.completeExceptionally(failure);
                  }
                });
    if (given) {
      taken.cancel();
    }
  }

  /** Whether to go on. */
  boolean progressed(Progress progress) {
    if (began == 0) {
      began = System.nanoTime();
      model.metrics().began(began - asked);
    }
    if (progress instanceof Progress.Denoising && progress.total() > 0) {
      percent = (int) (100 * progress.done() / progress.total());
    }
    synchronized (told) {
      if (unheard != null) {
        unheard.add(progress);
      }
      told.forEach(one -> one.accept(progress));
    }
    return !given;
  }

  /**
   * Has {@code listener} told of progress from now on, and of what there was if it is the first; it
   * returns at once and throws nothing.
   */
  void listen(Consumer<Progress> listener) {
    synchronized (told) {
      if (unheard != null) {
        unheard.forEach(listener);
        unheard = null;
      }
      told.add(listener);
    }
  }

  /** Gives it up within a step, for {@code reason}, which those who wait hear at once. */
  void giveUp(Throwable reason) {
    given = true;
    result.completeExceptionally(reason);
    Backend.Task taken = task;
    if (taken != null) {
      taken.cancel();
    }
  }

  /** Nobody wants it any more. */
  void abandon() {
    giveUp(new CancelledException("the client has closed its connection"));
  }

  /** The pictures, when they are there. */
  CompletableFuture<Drawn> result() {
    return result;
  }

  /** Whether the ranks are at work on it, or have been. */
  boolean hasBegun() {
    return began != 0;
  }

  /** Denoising steps that are done, of 100. */
  int percent() {
    return percent;
  }

  /** Nanoseconds that it waited; until now, if it still does. */
  long waited() {
    return (began == 0 ? System.nanoTime() : began) - asked;
  }

  /** Nanoseconds since it was asked for. */
  long age() {
    return System.nanoTime() - asked;
  }
}
