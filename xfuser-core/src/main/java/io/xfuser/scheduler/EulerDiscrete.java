package io.xfuser.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Euler steps in the noise per unit of picture. Source: arXiv 2206.00364, diffusers {@code
 * scheduling_euler_discrete.py}. Refused are beta sigmas and continuous timesteps of v-prediction.
 */
public final class EulerDiscrete implements Scheduler {
  private final String predictionType;
  private final double[] timesteps; // (n)
  private final float[] sigmas; // (n + 1), one more where log-linear
  private final double initialNoiseSigma;

  private EulerDiscrete(Options options, SchedulerRequest request) {
    options.requireNoEta(request);
    options.requireNoSigmas(request);
    SigmaCurves.check(options);
    predictionType = options.oneOf("prediction_type", "epsilon", "v_prediction", "sample");
    if (predictionType.equals("v_prediction")) {
      options.requireNeutral("timestep_type", "\"discrete\"");
    }
    NoiseSchedule schedule = NoiseSchedule.of(options, true);
    options.requireAtMost(schedule.length(), request);
    String last = options.oneOf("final_sigmas_type", "zero", "sigma_min");
    double[] spaced = spaced(options, schedule.length(), request.steps());
    boolean linear = options.oneOf("interpolation_type", "linear", "log_linear").equals("linear");
    double[] levels =
        linear
            ? Arrays.stream(spaced).map(schedule::sigma).toArray()
            : schedule.evenInLogarithm(request.steps() + 1);
    double[] curve = curve(options, levels, request.steps());
    sigmas =
        Sequences.toFloats(
            curve.length > 0 ? curve : levels, last.equals("zero") ? 0 : schedule.smallestSigma());
    timesteps = curve.length > 0 ? toTimesteps(schedule, curve) : spaced;
    float largest = 0;
    for (float sigma : sigmas) {
      largest = Math.max(largest, sigma);
    }
    boolean leading = options.config().getString("timestep_spacing", "linspace").equals("leading");
    initialNoiseSigma = leading ? Float32.sqrt(largest * largest + 1) : largest;
  }

  /**
   * The solver that {@code config} describes.
   *
   * @throws IllegalArgumentException naming a setting that is wrong or not supported
   */
  public static EulerDiscrete of(ComponentConfig config, SchedulerRequest request) {
    return new EulerDiscrete(new Options(config), request);
  }

  private static double[] curve(Options options, double[] levels, int steps) {
    ComponentConfig config = options.config();
    double largest = config.getDouble("sigma_max", levels[0]);
    double smallest = config.getDouble("sigma_min", levels[levels.length - 1]);
    if (options.isTrue("use_karras_sigmas")) {
      return SigmaCurves.karras(largest, smallest, steps);
    }
    if (options.isTrue("use_exponential_sigmas")) {
      return SigmaCurves.exponential(largest, smallest, steps);
    }
    return new double[0];
  }

  private static double[] toTimesteps(NoiseSchedule schedule, double[] sigmas) {
    return Arrays.stream(sigmas).map(sigma -> (float) schedule.timestep(sigma)).toArray();
  }

  /** arXiv 2305.08891, table 2; in float32. */
  private static double[] spaced(Options options, int trainSteps, int steps) {
    String spacing = options.oneOf("timestep_spacing", "linspace", "leading", "trailing");
    double[] timesteps = new double[steps];
    switch (spacing) {
      case "linspace" -> {
        double[] even = Sequences.linear(0, trainSteps - 1, steps);
        Arrays.setAll(timesteps, i -> (float) even[steps - 1 - i]);
      }
      case "leading" -> {
        int offset = options.config().getInt("steps_offset", 0);
        Arrays.setAll(timesteps, i -> (steps - 1 - i) * (trainSteps / steps) + (double) offset);
      }
      default -> {
        double[] even = Sequences.descending(trainSteps, trainSteps / (double) steps, steps);
        Arrays.setAll(timesteps, i -> Math.rint(even[i]) - 1);
      }
    }
    return timesteps;
  }

  @Override
  public double[] timesteps() {
    return timesteps.clone();
  }

  @Override
  public double initialNoiseSigma() {
    return initialNoiseSigma;
  }

  @Override
  public NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    float sigma = sigmas[step];
    double[] divisor = {Float32.sqrt(sigma * sigma + 1)};
    return Steps.PROGRAM.call(owner, "divide", tokens, divisor);
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, timesteps.length);
    double[] coefficients = Arrays.copyOf(ofOriginal(step), 4);
    coefficients[3] = sigmas[step + 1] - sigmas[step];
    NDArray tokens =
        Steps.PROGRAM.call(
            owner, "euler", predictionType, sample.tokens(), prediction, coefficients);
    return new Sample(tokens, List.of(), step + 1);
  }

  @Override
  public NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    double[] coefficients = ofOriginal(Steps.next(sample, timesteps.length));
    return Steps.PROGRAM.call(
        owner, "euler_last", predictionType, sample.tokens(), prediction, coefficients);
  }

  private double[] ofOriginal(int step) {
    float sigma = sigmas[step];
    float total = sigma * sigma + 1;
    return new double[] {sigma, -sigma / Float32.sqrt(total), total};
  }
}
