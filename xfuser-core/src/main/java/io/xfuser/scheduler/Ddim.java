package io.xfuser.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DDIM, with eta between it and DDPM. Source: arXiv 2010.02502, diffusers {@code
 * scheduling_ddim.py}. It computes in the sample's element type throughout; thresholding is
 * refused.
 */
public final class Ddim implements Scheduler {
  private final NoiseSchedule schedule;
  private final String predictionType;
  private final double clip;
  private final float finalAlpha;
  private final float eta;
  private final int[] timesteps;
  private final int stride;

  private Ddim(Options options, SchedulerRequest request) {
    ComponentConfig config = options.config();
    options.requireNoSigmas(request);
    options.requireFalse("thresholding");
    schedule = NoiseSchedule.of(options, false);
    options.requireAtMost(schedule.length(), request);
    predictionType = options.oneOf("prediction_type", "epsilon", "v_prediction", "sample");
    clip =
        config.getBoolean("clip_sample", true)
            ? config.getDouble("clip_sample_range", 1)
            : Double.POSITIVE_INFINITY;
    finalAlpha = config.getBoolean("set_alpha_to_one", true) ? 1 : schedule.alphaCumprod(0);
    eta = (float) request.eta();
    stride = schedule.length() / request.steps();
    timesteps = timesteps(options, schedule.length(), request.steps());
    if (timesteps[0] >= schedule.length()) {
      throw new IllegalArgumentException(
          "%s: steps_offset %s leads to timestep %d of %d"
              .formatted(
                  config.origin(), config.text("steps_offset"), timesteps[0], schedule.length()));
    }
  }

  /**
   * The solver that {@code config} describes.
   *
   * @throws IllegalArgumentException naming a setting that is wrong or not supported
   */
  public static Ddim of(ComponentConfig config, SchedulerRequest request) {
    return new Ddim(new Options(config), request);
  }

  private static int[] timesteps(Options options, int trainSteps, int steps) {
    String spacing = options.oneOf("timestep_spacing", "leading", "linspace", "trailing");
    int[] timesteps = new int[steps];
    switch (spacing) {
      case "linspace" -> {
        double[] even = Sequences.linear(0, trainSteps - 1, steps);
        Arrays.setAll(timesteps, i -> (int) Math.rint(even[steps - 1 - i]));
      }
      case "leading" -> {
        int offset = options.config().getInt("steps_offset", 0);
        Arrays.setAll(timesteps, i -> (steps - 1 - i) * (trainSteps / steps) + offset);
      }
      default -> {
        double[] even = Sequences.descending(trainSteps, trainSteps / (double) steps, steps);
        Arrays.setAll(timesteps, i -> (int) Math.rint(even[i]) - 1);
      }
    }
    return timesteps;
  }

  @Override
  public double[] timesteps() {
    return Arrays.stream(timesteps).asDoubleStream().toArray();
  }

  @Override
  public boolean stochastic() {
    return eta > 0;
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, timesteps.length);
    int previous = timesteps[step] - stride;
    float alpha = schedule.alphaCumprod(timesteps[step]);
    float nextAlpha = previous >= 0 ? schedule.alphaCumprod(previous) : finalAlpha;
    float variance = (1 - nextAlpha) / (1 - alpha) * (1 - alpha / nextAlpha);
    float deviation = eta * Steps.roots(variance)[0]; // eq. 16
    float[] roots = Steps.roots(alpha, 1 - alpha, nextAlpha, 1 - nextAlpha - deviation * deviation);
    double[] coefficients = {roots[0], roots[1], roots[2], roots[3]};
    try (NDManager scope = owner.newSubManager()) {
      NDArray tokens =
          Steps.PROGRAM.call(
              stochastic() ? scope : owner,
              "ddim",
              predictionType,
              sample.tokens(),
              prediction,
              coefficients,
              clip);
      if (stochastic()) {
        if (noise == null) {
          throw new IllegalArgumentException("eta is " + eta + ", but there is no noise to add");
        }
        tokens = Steps.PROGRAM.call(owner, "add_noise", tokens, noise, new double[] {deviation});
      }
      return new Sample(tokens, List.of(), step + 1);
    }
  }
}
