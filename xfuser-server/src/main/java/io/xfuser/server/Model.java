package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.QueueFullException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A model that is served: what draws it, how it fares, and who waits for what it draws. */
final class Model {
  private final String name;
  private final Backend backend;
  private final Metrics.OfModel metrics;
  private final int mostWaiting;
  private final ReentrantLock entrance = new ReentrantLock();
  private final Set<Drawing> drawings = ConcurrentHashMap.newKeySet();
  private volatile long lastProgress = System.nanoTime();

  Model(String name, Backend backend, Metrics metrics, int mostWaiting) {
    this.name = name;
    this.backend = backend;
    this.mostWaiting = mostWaiting;
    this.metrics = metrics.of(name, backend::waiting, drawings::size);
  }

  String name() {
    return name;
  }

  Backend backend() {
    return backend;
  }

  Metrics.OfModel metrics() {
    return metrics;
  }

  /** Judges {@code asked}: its sizes and steps with the model's defaults. */
  GenerationRequest check(DrawRequest asked, Limits limits) {
    GenerationRequest request = asked.fields().judge(() -> backend.check(asked.input()));
    limits.check(request, asked.fields());
    return request;
  }

  /** What it draws if a prompt alone is given; nothing where it needs more than a prompt. */
  Map<String, Object> defaults() {
    try {
      GenerationRequest request = backend.check(InputConfig.builder("a picture").build());
      return Map.of(
          InputConfig.WIDTH.name(), request.output().width(),
          InputConfig.HEIGHT.name(), request.output().height(),
          InputConfig.NUM_INFERENCE_STEPS.name(), request.scheduler().steps(),
          InputConfig.GUIDANCE_SCALE.name(), request.guidance().scale());
    } catch (IllegalArgumentException e) {
      return Map.of();
    }
  }

  /** Whether what it draws has several frames. */
  boolean makesVideos() {
    return backend.settings().contains(InputConfig.NUM_FRAMES);
  }

  /**
   * Has it drawn.
   *
   * @param streamed whether someone will listen to its progress
   */
  Drawing draw(InputConfig input, @Nullable Instant deadline, boolean streamed) {
    Drawing drawing = new Drawing(this, streamed);
    entrance.lock(); // so that as many wait as may, and not one more
    try {
      if (!drawings.isEmpty() && backend.waiting() >= mostWaiting) {
        throw new QueueFullException(backend.waiting(), mostWaiting);
      }
      if (drawings.isEmpty()) {
        lastProgress = System.nanoTime();
      }
      drawings.add(drawing);
      drawing.starts(backend.submit(input, deadline, listener(drawing)));
    } catch (RuntimeException | Error e) {
      drawings.remove(drawing);
      throw e;
    } finally {
      entrance.unlock();
    }
    return drawing;
  }

  private ProgressListener listener(Drawing drawing) {
    return progress -> {
      lastProgress = System.nanoTime();
      metrics.progressed(progress);
      return drawing.progressed(progress);
    };
  }

  /** It is over. */
  void over(Drawing drawing) {
    lastProgress = System.nanoTime();
    drawings.remove(drawing);
  }

  /** Why no picture would come of a request now; null if one would. */
  @Nullable String trouble(Duration stall) {
    if (!backend.isOpen()) {
      return "the model " + name + " cannot be drawn with: its ranks are not there";
    }
    Duration still = Duration.ofNanos(System.nanoTime() - lastProgress);
    return drawings.isEmpty() || still.compareTo(stall) < 0
        ? null
        : "the model %s has told of no progress for %d seconds".formatted(name, still.toSeconds());
  }

  /** Whether requests may have a picture to start from. */
  boolean takesPictures() {
    return backend.settings().contains(InputConfig.IMAGE);
  }

  /** Seconds until a request that is made now begins, about. */
  long secondsToWait() {
    double opening = backend.secondsToOpen();
    double queue = metrics.meanSeconds() * (backend.waiting() + 1);
    return Math.max(1, Math.round(Math.ceil(opening > 0 ? opening : queue)));
  }

  /** What is being drawn or waits to be. */
  List<Drawing> drawings() {
    return new ArrayList<>(drawings);
  }

  /** Whether nothing is drawn or waits to be. */
  boolean isIdle() {
    return drawings.isEmpty();
  }

  /** Whether a step of denoising was told of. */
  static boolean isStep(Progress progress) {
    return progress instanceof Progress.Denoising step && step.done() > 0;
  }
}
