package io.xfuser.scheduler;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one generation asks of its scheduler.
 *
 * @param steps how many denoising steps, at least 1
 * @param eta the share of DDPM's noise in DDIM's steps, 0 (none) to 1
 * @param mu the logarithm of the shift towards noise for this size of picture; used where the
 *     scheduler's settings have {@code use_dynamic_shifting}
 * @param sigmas noise levels before shifting, as the pipeline or the caller prescribes them, one
 *     per step, and for some schedulers one more for the end; null for the scheduler's own
 * @param timesteps what the model is told, as the caller prescribes it, one per step, descending;
 *     null for the scheduler's own
 * @param begin how many of the first steps are left out, because samples begin with a picture
 */
public record SchedulerRequest(
    int steps,
    double eta,
    @Nullable Double mu,
    @Nullable List<Double> sigmas,
    @Nullable List<Integer> timesteps,
    int begin) {
  /** From the first step on. */
  public SchedulerRequest(
      int steps, double eta, @Nullable Double mu, @Nullable List<Double> sigmas) {
    this(steps, eta, mu, sigmas, null, 0);
  }

  /** Checks the numbers. */
  public SchedulerRequest {
    if (steps < 1) {
      throw new IllegalArgumentException("at least one denoising step is needed, got " + steps);
    }
    if (!(eta >= 0 && eta <= 1)) {
      throw new IllegalArgumentException("eta is " + eta + ", not between 0 and 1");
    }
    if (begin < 0 || begin >= steps) {
      throw new IllegalArgumentException("no step is left of " + steps + " from " + begin + " on");
    }
    if (sigmas != null) {
      sigmas = List.copyOf(sigmas);
      if (sigmas.size() != steps && sigmas.size() != steps + 1) {
        throw new IllegalArgumentException(sigmas.size() + " sigmas for " + steps + " steps");
      }
    }
    if (timesteps != null) {
      timesteps = List.copyOf(timesteps);
      if (timesteps.size() != steps) {
        throw new IllegalArgumentException(timesteps.size() + " timesteps for " + steps + " steps");
      }
    }
  }

  /** The same without its first {@code other} steps. */
  public SchedulerRequest from(int other) {
    return new SchedulerRequest(steps, eta, mu, sigmas, timesteps, other);
  }

  /** So many steps, all else left to the scheduler's settings. */
  public static SchedulerRequest of(int steps) {
    return new SchedulerRequest(steps, 0, null, null);
  }
}
