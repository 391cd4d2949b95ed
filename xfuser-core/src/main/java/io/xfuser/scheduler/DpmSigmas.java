package io.xfuser.scheduler;

import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;

/**
 * The noise levels and timesteps of DPM-Solver.
 *
 * @param values noise levels, descending, one more than there are steps
 * @param timesteps what the model is told, whole numbers
 * @param flow whether the levels are those of a flow, with the picture's share 1 − sigma
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record DpmSigmas(float[] values, double[] timesteps, boolean flow) {
  /** Chooses them as {@code options} say. */
  static DpmSigmas of(Options options, SchedulerRequest request) {
    NoiseSchedule schedule = NoiseSchedule.of(options, true);
    options.requireAtMost(schedule.length(), request);
    SigmaCurves.check(options);
    boolean flow = options.isTrue("use_flow_sigmas");
    String last = options.oneOf("final_sigmas_type", "zero", "sigma_min");
    float end = last.equals("zero") ? 0 : schedule.smallestSigma();
    double[] curve = curve(options, schedule, request.steps());
    if (curve.length > 0) {
      double[] timesteps = timesteps(options, schedule, curve);
      return new DpmSigmas(Sequences.toFloats(curve, end), timesteps, flow);
    }
    if (flow) {
      double[] levels = flowLevels(options, request);
      double[] timesteps =
          truncated(Arrays.stream(levels).map(level -> level * schedule.length()).toArray());
      return new DpmSigmas(Sequences.toFloats(levels, end), timesteps, flow);
    }
    double[] timesteps = spaced(options, schedule, request.steps());
    double[] levels = Arrays.stream(timesteps).map(schedule::sigma).toArray();
    return new DpmSigmas(Sequences.toFloats(levels, end), timesteps, flow);
  }

  boolean endsWithoutNoise() {
    return values[values.length - 1] == 0;
  }

  private static double[] curve(Options options, NoiseSchedule schedule, int steps) {
    float largest = schedule.largestSigma();
    float smallest = schedule.smallestSigma();
    if (options.isTrue("use_karras_sigmas")) {
      return SigmaCurves.karras(largest, smallest, steps);
    }
    if (options.isTrue("use_lu_lambdas")) {
      return SigmaCurves.lu(schedule.largestLogSigma(), schedule.smallestLogSigma(), steps);
    }
    if (options.isTrue("use_exponential_sigmas")) {
      return SigmaCurves.exponential(largest, smallest, steps);
    }
    return new double[0];
  }

  private static double[] timesteps(Options options, NoiseSchedule schedule, double[] sigmas) {
    double[] exact = Arrays.stream(sigmas).map(schedule::timestep).toArray();
    boolean karrasOrLu = options.isTrue("use_karras_sigmas") || options.isTrue("use_lu_lambdas");
    boolean cosine =
        options.config().getString("beta_schedule", "linear").equals("squaredcos_cap_v2");
    return karrasOrLu && !cosine ? rounded(exact) : truncated(exact);
  }

  /** arXiv 2403.03206, eq. 23, from 1 − 1/T down. */
  private static double[] flowLevels(Options options, SchedulerRequest request) {
    ComponentConfig config = options.config();
    int trainSteps = options.positive("num_train_timesteps", 1000);
    double shift = config.getDouble("flow_shift", 1);
    if (options.isTrue("use_dynamic_shifting") && request.mu() != null) {
      options.oneOf("time_shift_type", "exponential");
      shift = StrictMath.exp(request.mu());
    }
    double[] alphas = Sequences.linear(1, 1.0 / trainSteps, request.steps() + 1);
    double[] levels = new double[request.steps()];
    for (int i = 0; i < levels.length; i++) {
      double level = 1 - alphas[levels.length - i];
      levels[i] = shift * level / (1 + (shift - 1) * level);
    }
    return levels;
  }

  /** arXiv 2305.08891, table 2; the last of {@code steps + 1} is left to the final sigma. */
  private static double[] spaced(Options options, NoiseSchedule schedule, int steps) {
    ComponentConfig config = options.config();
    int last =
        schedule.stepsAbove(config.getDouble("lambda_min_clipped", Double.NEGATIVE_INFINITY));
    String spacing = options.oneOf("timestep_spacing", "linspace", "leading", "trailing");
    double[] timesteps = new double[steps];
    switch (spacing) {
      case "linspace" -> {
        double[] even = rounded(Sequences.linear(0, last - 1, steps + 1));
        Arrays.setAll(timesteps, i -> even[steps - i]);
      }
      case "leading" -> {
        int ratio = last / (steps + 1);
        int offset = config.getInt("steps_offset", 0);
        Arrays.setAll(timesteps, i -> (double) (steps - i) * ratio + offset);
      }
      default -> {
        double[] even =
            rounded(Sequences.descending(last, schedule.length() / (double) steps, steps));
        Arrays.setAll(timesteps, i -> even[i] - 1);
      }
    }
    return timesteps;
  }

  private static double[] rounded(double[] numbers) {
    return Arrays.stream(numbers).map(Math::rint).toArray();
  }

  private static double[] truncated(double[] numbers) {
    return Arrays.stream(numbers).map(number -> (double) (long) number).toArray();
  }
}
