package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DDPM's ancestral sampling. Source: arXiv 2006.11239, eq. 7, diffusers {@code scheduling_ddpm.py}.
 * Each step adds noise, but for one at timestep 0, which can only be the last.
 *
 * <p>Refused are thresholding, the learned variances {@code learned} and {@code learned_range},
 * because a transformer's head keeps the prediction alone, and {@code fixed_large_log}, of which
 * diffusers' step takes the root of a logarithm below 0: not a number.
 */
public final class Ddpm extends DiffusionSolver {
  private static final float SMALLEST_VARIANCE = 1e-20f;

  private final String varianceType;

  private Ddpm(SchedulerSettings options, SchedulerRequest request) {
    super(DiffusionSteps.of(options, request));
    options.requireNoEta(request);
    varianceType = options.oneOf("variance_type", "fixed_small", "fixed_small_log", "fixed_large");
  }

  @Override
  public boolean stochastic() {
    return true;
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, steps.timesteps().length);
    int timestep = steps.timesteps()[step];
    float alpha = steps.alphaCumprod(step);
    float nextAlpha = steps.alphaCumprod(step + 1);
    float stepAlpha = alpha / nextAlpha;
    double[] coefficients = { // of the original and the sample, eq. 7
      Float32.sqrt(alpha),
      Float32.sqrt(1 - alpha),
      Float32.sqrt(nextAlpha) * (1 - stepAlpha) / (1 - alpha),
      Float32.sqrt(stepAlpha) * (1 - nextAlpha) / (1 - alpha)
    };
    boolean noisy = timestep > 0;
    try (NDManager scope = owner.newSubManager()) {
      NDArray tokens =
          Steps.PROGRAM.call(
              noisy ? scope : owner,
              "ddpm",
              steps.predictionType(),
              sample.tokens(),
              prediction,
              coefficients,
              steps.clip());
      if (noisy) {
        NDArray stepNoise = Steps.requireNoise(noise, "DDPM is at timestep " + timestep);
        double[] deviation = {deviation(alpha, nextAlpha)};
        tokens = Steps.PROGRAM.call(owner, "add_noise", tokens, stepNoise, deviation);
      }
      return new Sample(tokens, List.of(), step + 1);
    }
  }

  private float deviation(float alpha, float nextAlpha) {
    float beta = 1 - alpha / nextAlpha;
    float small = Math.max((1 - nextAlpha) / (1 - alpha) * beta, SMALLEST_VARIANCE);
    return switch (varianceType) {
      case "fixed_small" -> Float32.sqrt(small);
      case "fixed_small_log" -> Float32.exp(0.5f * Float32.log(small));
      default -> Float32.sqrt(beta);
    };
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("DDPMScheduler", Ddpm::new, Ability.TIMESTEPS);
    }
  }
}
