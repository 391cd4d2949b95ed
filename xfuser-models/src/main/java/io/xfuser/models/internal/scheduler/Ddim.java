package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DDIM, with eta between it and DDPM. Source: arXiv 2010.02502, diffusers {@code
 * scheduling_ddim.py}. It computes in the sample's element type throughout; thresholding is
 * refused.
 */
public final class Ddim extends DiffusionSolver {
  private final float finalAlpha;
  private final float eta;
  private final int stride;

  private Ddim(SchedulerSettings options, SchedulerRequest request) {
    super(DiffusionSteps.of(options, request));
    NoiseSchedule schedule = steps.schedule();
    finalAlpha =
        options.config().getBoolean("set_alpha_to_one", true) ? 1 : schedule.alphaCumprod(0);
    eta = (float) request.eta();
    stride = schedule.length() / request.steps();
  }

  @Override
  public boolean stochastic() {
    return eta > 0;
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, steps.timesteps().length);
    int previous = steps.timesteps()[step] - stride;
    float alpha = steps.alphaCumprod(step);
    float nextAlpha = previous >= 0 ? steps.schedule().alphaCumprod(previous) : finalAlpha;
    float variance = (1 - nextAlpha) / (1 - alpha) * (1 - alpha / nextAlpha);
    float deviation = eta * Float32.sqrt(variance); // eq. 16
    double[] coefficients = {
      Float32.sqrt(alpha),
      Float32.sqrt(1 - alpha),
      Float32.sqrt(nextAlpha),
      Float32.sqrt(1 - nextAlpha - deviation * deviation)
    };
    try (NDManager scope = owner.newSubManager()) {
      NDArray tokens =
          Steps.PROGRAM.call(
              stochastic() ? scope : owner,
              "ddim",
              steps.predictionType(),
              sample.tokens(),
              prediction,
              coefficients,
              steps.clip());
      if (stochastic()) {
        NDArray stepNoise = Steps.requireNoise(noise, "eta is " + eta);
        tokens =
            Steps.PROGRAM.call(owner, "add_noise", tokens, stepNoise, new double[] {deviation});
      }
      return new Sample(tokens, List.of(), step + 1);
    }
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("DDIMScheduler", Ddim::new, Ability.ETA);
    }
  }
}
