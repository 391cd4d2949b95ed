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
 * @param sigmas noise levels that the pipeline prescribes to a flow-match scheduler before
 *     shifting, one per step, descending; null for the scheduler's own
 */
public record SchedulerRequest(
    int steps, double eta, @Nullable Double mu, @Nullable List<Double> sigmas) {
  /** Checks the numbers. */
  public SchedulerRequest {
    if (steps < 1) {
      throw new IllegalArgumentException("at least one denoising step is needed, got " + steps);
    }
    if (!(eta >= 0 && eta <= 1)) {
      throw new IllegalArgumentException("eta is " + eta + ", not between 0 and 1");
    }
    if (sigmas != null) {
      sigmas = List.copyOf(sigmas);
      if (sigmas.size() != steps) {
        throw new IllegalArgumentException(sigmas.size() + " sigmas for " + steps + " steps");
      }
    }
  }

  /** So many steps, all else left to the scheduler's settings. */
  public static SchedulerRequest of(int steps) {
    return new SchedulerRequest(steps, 0, null, null);
  }
}
