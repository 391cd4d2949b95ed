package io.xfuser.internal.cache;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineModel.Calibration;
import java.util.List;
import java.util.Objects;

/**
 * How steps of one request are spared.
 *
 * @param method how it is told whether a step is
 * @param threshold how much may change
 * @param warmup first steps that are computed, at least 1
 * @param most steps that are spared one after the other
 * @param steps of the request
 * @param begin steps of the schedule before them, which a picture that was given makes unnecessary
 * @param calibration of the model
 */
public record CachePolicy(
    StepCache method,
    double threshold,
    int warmup,
    int most,
    int steps,
    int begin,
    Calibration calibration) {
  private static final int TAYLOR_WARMUP = 3; // diffusers' disable_cache_before_step
  private static final int TAYLOR_SPARED = 4; // and its cache_interval, 5, without the computed one
  private static final int MAG_SPARED = 3; // max_skip_steps
  private static final double MAG_WARMUP = 0.2; // retention_ratio
  private static final double EASY_WARMUP = 0.15; // stable-diffusion.cpp's start_percent

  /**
   * What {@code request} asks for.
   *
   * @param calibration of the model
   * @throws ArgumentException if its method is not calibrated, or takes no threshold
   */
  public static CachePolicy of(GenerationRequest request, Calibration calibration) {
    InputConfig input = request.input();
    StepCache method = input.cache();
    int steps = request.calls();
    String named = InputConfig.CACHE.with(method);
    if (method == StepCache.TEACACHE) {
      require(!calibration.polynomial().isEmpty(), named);
    } else if (method == StepCache.MAGCACHE) {
      require(!calibration.ratios().isEmpty(), named);
    } else if (method == StepCache.TAYLORSEER && input.has(InputConfig.CACHE_THRESHOLD)) {
      throw new ArgumentException(
          named + " goes by the number of the step, so it takes no cache_threshold");
    }
    return new CachePolicy(
        method,
        Objects.requireNonNullElse(input.get(InputConfig.CACHE_THRESHOLD), threshold(method)),
        Math.max(
            1, // before it there is nothing to use again
            Objects.requireNonNullElse(
                input.get(InputConfig.CACHE_WARMUP_STEPS), warmup(method, steps))),
        Objects.requireNonNullElse(input.get(InputConfig.CACHE_MAX_CONTINUOUS), most(method)),
        steps,
        request.scheduler().begin(),
        calibration);
  }

  private static void require(boolean known, String method) {
    if (!known) {
      throw new ArgumentException(
          method
              + " is not calibrated for this model: the script calibrate writes a"
              + " cache_calibration for it, and fbcache, easycache and taylorseer need none");
    }
  }

  private static double threshold(StepCache method) {
    return switch (method) {
      case FBCACHE -> 0.12;
      case TEACACHE -> 0.25;
      case MAGCACHE -> 0.06;
      case EASYCACHE -> 0.05;
      case TAYLORSEER, NONE -> 0;
    };
  }

  private static int warmup(StepCache method, int steps) {
    return switch (method) {
      case MAGCACHE -> (int) (MAG_WARMUP * steps + 0.5);
      case EASYCACHE -> (int) Math.ceil(EASY_WARMUP * steps);
      case TAYLORSEER -> TAYLOR_WARMUP;
      default -> 1;
    };
  }

  private static int most(StepCache method) {
    return switch (method) {
      case MAGCACHE -> MAG_SPARED;
      case TAYLORSEER -> TAYLOR_SPARED;
      default -> Integer.MAX_VALUE;
    };
  }

  /** Whether no step is spared, whatever changes. */
  public boolean none() {
    return method == StepCache.NONE;
  }

  /** Whether every rank can tell from a step's number. */
  public boolean byNumber() {
    return method == StepCache.MAGCACHE || method == StepCache.TAYLORSEER;
  }

  /** Whether a spared step takes the whole transformer's prediction, not the blocks' residuals. */
  public boolean ofPrediction() {
    return method == StepCache.EASYCACHE || method == StepCache.TAYLORSEER;
  }

  /** Whether step {@code t} is computed whatever changes. */
  boolean computes(int t) {
    boolean last = method == StepCache.TEACACHE || method == StepCache.EASYCACHE;
    return t < warmup || (last && t == steps - 1);
  }

  /** TaylorSeer's pattern: the second step after the warm-up, then every so many. */
  boolean refreshes(int t) {
    return Math.floorMod(t - warmup - 1, most + 1L) == 0;
  }

  /** TeaCache's polynomial of a relative change. */
  double rescaled(double change) {
    double value = 0;
    for (double coefficient : calibration.polynomial()) {
      value = value * change + coefficient;
    }
    return value;
  }

  /** MagCache's ratio of step {@code t}; the schedule's steps before count too. */
  double ratio(int t) {
    List<Double> ratios = calibration.ratios();
    int last = ratios.size() - 1;
    int all = begin + steps;
    double place =
        all == ratios.size() || all == 1 ? begin + t : (begin + t) * (last / (all - 1.0));
    return ratios.get(Math.min(last, (int) Math.rint(place)));
  }
}
