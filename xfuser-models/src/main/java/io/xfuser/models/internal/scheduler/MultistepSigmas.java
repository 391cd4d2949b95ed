package io.xfuser.models.internal.scheduler;

import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.Optional;

/**
 * The noise levels and timesteps of the multistep solvers.
 *
 * @param values noise levels, descending, one more than there are steps
 * @param timesteps what the model is told, whole numbers
 * @param flow whether the levels are those of a flow, with the picture's share 1 − sigma
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record MultistepSigmas(float[] values, double[] timesteps, boolean flow) {
  /**
   * What the solvers choose differently.
   *
   * @param clipped whether {@code lambda_min_clipped} leaves out the noisiest timesteps
   * @param lu whether there is {@code use_lu_lambdas}
   * @param roundedCosine whether a curve's timesteps are rounded for the cosine schedule too
   * @param lastRepeated whether {@code sigma_min}, after a curve or a flow, is its last level
   * @param end {@code final_sigmas_type} where the settings do not say
   */
  record Rules(
      boolean clipped, boolean lu, boolean roundedCosine, boolean lastRepeated, String end) {
    static final Rules DPM_SOLVER = new Rules(true, true, false, false, "zero");
    static final Rules UNI_PC = new Rules(false, false, true, true, "zero");
    static final Rules DEIS = new Rules(false, false, true, true, "sigma_min");
  }

  private static final String[] CURVES = {
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "use_lu_lambdas",
    "use_flow_sigmas"
  };

  /** Chooses them as {@code options} say. */
  static MultistepSigmas of(
      SchedulerSettings options, SchedulerRequest request, NoiseSchedule schedule, Rules rules) {
    options.requireNoEta(request);
    options.requireAtMost(schedule.length(), request);
    SigmaCurves.check(options);
    boolean flow = options.isTrue("use_flow_sigmas");
    Optional<double[]> given = options.timesteps(request, schedule.length(), CURVES);
    Optional<double[]> curve = curve(options, schedule, request.steps(), rules);
    double[] levels;
    double[] timesteps;
    if (curve.isPresent()) {
      levels = curve.get();
      timesteps = timesteps(options, schedule, levels, rules);
    } else if (flow) {
      levels = flowLevels(options, request);
      timesteps =
          truncated(Arrays.stream(levels).map(level -> level * schedule.length()).toArray());
    } else {
      timesteps = given.orElseGet(() -> spaced(options, schedule, request.steps(), rules));
      levels = Arrays.stream(timesteps).map(schedule::sigma).toArray();
    }
    boolean repeated = rules.lastRepeated() && (flow || curve.isPresent());
    float smallest = repeated ? (float) levels[levels.length - 1] : schedule.smallestSigma();
    float end = last(options, rules).equals("zero") ? 0 : smallest;
    return new MultistepSigmas(Sequences.toFloats(levels, end), timesteps, flow);
  }

  private static String last(SchedulerSettings options, Rules rules) {
    return rules.end().equals("zero")
        ? options.oneOf("final_sigmas_type", "zero", "sigma_min")
        : rules.end();
  }

  boolean endsWithoutNoise() {
    return values[values.length - 1] == 0;
  }

  private static Optional<double[]> curve(
      SchedulerSettings options, NoiseSchedule schedule, int steps, Rules rules) {
    boolean karras = options.isTrue("use_karras_sigmas");
    if (rules.lu() && options.isTrue("use_lu_lambdas") && !karras) {
      return Optional.of(
          SigmaCurves.lu(schedule.largestLogSigma(), schedule.smallestLogSigma(), steps));
    }
    return SigmaCurves.of(options, schedule.largestSigma(), schedule.smallestSigma(), steps);
  }

  private static double[] timesteps(
      SchedulerSettings options, NoiseSchedule schedule, double[] sigmas, Rules rules) {
    double[] exact = Arrays.stream(sigmas).map(schedule::timestep).toArray();
    boolean karrasOrLu =
        options.isTrue("use_karras_sigmas") || (rules.lu() && options.isTrue("use_lu_lambdas"));
    boolean cosine =
        options.config().getString("beta_schedule", "linear").equals("squaredcos_cap_v2");
    return karrasOrLu && (rules.roundedCosine() || !cosine) ? rounded(exact) : truncated(exact);
  }

  /** arXiv 2403.03206, eq. 23, from 1 − 1/T down. */
  private static double[] flowLevels(SchedulerSettings options, SchedulerRequest request) {
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
  private static double[] spaced(
      SchedulerSettings options, NoiseSchedule schedule, int steps, Rules rules) {
    ComponentConfig config = options.config();
    int last =
        rules.clipped()
            ? schedule.stepsAbove(config.getDouble("lambda_min_clipped", Double.NEGATIVE_INFINITY))
            : schedule.length();
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
