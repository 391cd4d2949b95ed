package io.xfuser.models.internal.scheduler;

import io.xfuser.scheduler.SchedulerRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The noise levels and timesteps of Euler's and Heun's methods. Source: arXiv 2206.00364, diffusers
 * {@code scheduling_euler_discrete.py} and its siblings.
 *
 * @param values noise per unit of picture, descending, with what follows the last step
 * @param timesteps what the model is told, one per step
 * @param initial what noise is multiplied with to become the first sample
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record EulerSigmas(float[] values, double[] timesteps, double initial) {

  private static final String[] CURVES = {
    "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"
  };

  /**
   * As {@code options} say.
   *
   * @param levels the levels at given timesteps, before any curve
   */
  static EulerSigmas of(
      SchedulerSettings options, SchedulerRequest request, NoiseSchedule schedule, Levels levels) {
    options.requireNoEta(request);
    options.requireAtMost(schedule.length(), request);
    boolean leading = options.config().getString("timestep_spacing", "linspace").equals("leading");
    List<Double> given = request.sigmas();
    if (given != null) {
      return prescribed(given, schedule, leading);
    }
    double[] spaced =
        options
            .timesteps(request, schedule.length(), CURVES)
            .orElseGet(() -> spaced(options, schedule.length(), request.steps()));
    double[] at = levels.at(spaced);
    Optional<double[]> curve =
        levels.curved()
            ? SigmaCurves.of(options, at[0], at[at.length - 1], request.steps())
            : Optional.empty();
    float[] values = Sequences.toFloats(curve.orElse(at), levels.last());
    return new EulerSigmas(
        values,
        curve.map(sigmas -> toTimesteps(schedule, sigmas)).orElse(spaced),
        initial(values, leading));
  }

  /** Those of a caller, the last of which follows the last step. */
  private static EulerSigmas prescribed(
      List<Double> given, NoiseSchedule schedule, boolean leading) {
    double[] sigmas = given.stream().mapToDouble(Double::floatValue).toArray();
    int steps = sigmas.length - 1;
    float[] values = Sequences.toFloats(Arrays.copyOf(sigmas, steps), (float) sigmas[steps]);
    return new EulerSigmas(
        values, toTimesteps(schedule, Arrays.copyOf(sigmas, steps)), initial(values, leading));
  }

  private static double initial(float[] values, boolean leading) {
    float largest = 0;
    for (float sigma : values) {
      largest = Math.max(largest, sigma);
    }
    return leading ? Float32.sqrt(largest * largest + 1) : largest;
  }

  /** What the solvers choose differently. */
  interface Levels {
    double[] at(double[] timesteps);

    /** Whether the settings may ask for a curve in their place. */
    default boolean curved() {
      return true;
    }

    /** The level after the last step. */
    default float last() {
      return 0;
    }
  }

  private static double[] toTimesteps(NoiseSchedule schedule, double[] sigmas) {
    return Arrays.stream(sigmas).map(sigma -> (float) schedule.timestep(sigma)).toArray();
  }

  /** arXiv 2305.08891, table 2; in float32. */
  private static double[] spaced(SchedulerSettings options, int trainSteps, int steps) {
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

  /** What the model's input at step {@code step} is divided by. */
  double divisor(int step) {
    return Float32.sqrt(values[step] * values[step] + 1);
  }

  /** What {@code euler_original} of steps.py takes at level {@code index}. */
  double[] ofOriginal(int index) {
    float sigma = values[index];
    float total = sigma * sigma + 1;
    return new double[] {sigma, -sigma / Float32.sqrt(total), total};
  }
}
