package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DDIM without noise of its own on a shifted schedule. Source: diffusers {@code
 * scheduling_ddim_cogvideox.py}.
 */
final class ShiftedDdim extends ShiftedSolver {
  private ShiftedDdim(SchedulerSettings options, SchedulerRequest request) {
    super(ShiftedSchedule.of(options, request));
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, schedule.timesteps().length);
    double alpha = schedule.alpha(step);
    double next = schedule.next(step);
    double kept = Math.sqrt((1 - next) / (1 - alpha));
    double[] coefficients = {
      Math.sqrt(alpha), Math.sqrt(1 - alpha), kept, Math.sqrt(next) - Math.sqrt(alpha) * kept
    };
    NDArray tokens =
        Steps.PROGRAM.call(
            owner,
            "shifted_ddim",
            schedule.predictionType(),
            sample.tokens(),
            prediction,
            coefficients);
    return new Sample(tokens, List.of(), step + 1);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("CogVideoXDDIMScheduler", ShiftedDdim::new);
    }
  }
}
