package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver++ of second order with noise in each step (arXiv 2211.01095) on a shifted schedule.
 * The first step is of first order, and one after which no training step is left. Source: diffusers
 * {@code scheduling_dpm_cogvideox.py}, which draws noise for the first order, and anew for the
 * second.
 */
final class ShiftedDpm extends ShiftedSolver {
  private ShiftedDpm(SchedulerSettings options, SchedulerRequest request) {
    super(ShiftedSchedule.of(options, request));
  }

  @Override
  public boolean stochastic() {
    return true;
  }

  @Override
  public int draws(int step) {
    return second(step) ? 2 : 1;
  }

  private boolean second(int step) {
    return step > 0 && !schedule.ends(step);
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, schedule.timesteps().length);
    NDList before = new NDList();
    if (second(step)) {
      before.add(sample.history().get(0));
    }
    NDArray original = original(owner, sample, prediction);
    NDArray tokens =
        Steps.PROGRAM.call(
            owner,
            "shifted_dpm",
            sample.tokens(),
            original,
            before,
            Steps.requireNoise(noise, "all steps of this solver add noise"),
            coefficients(step));
    return new Sample(tokens, List.of(original), step + 1);
  }

  /** Of the sample, the picture, the noise, and what the picture is made of: this one, the last. */
  private double[] coefficients(int step) {
    double alpha = schedule.alpha(step);
    double next = schedule.next(step);
    double h = logSnr(next) - logSnr(alpha);
    double deviation = Math.sqrt(1 - next);
    double ahead = second(step) ? (h / (logSnr(alpha) - logSnr(schedule.alpha(step - 1)))) / 2 : 0;
    return new double[] {
      deviation / Math.sqrt(1 - alpha) * Math.exp(-h),
      Math.expm1(-2 * h) * Math.sqrt(next),
      deviation * Math.sqrt(1 - Math.exp(-2 * h)),
      1 + ahead,
      ahead
    };
  }

  private static double logSnr(double alpha) {
    return Math.log(Math.sqrt(alpha / (1 - alpha)));
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("CogVideoXDPMScheduler", ShiftedDpm::new);
    }
  }
}
