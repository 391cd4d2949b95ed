package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.Arrays;

/**
 * A noise schedule shifted towards noise, and the timesteps of a request: what diffusers' {@code
 * scheduling_ddim_cogvideox.py} and {@code scheduling_dpm_cogvideox.py} have alike. It is kept in
 * fp64, as they keep it; the shift is that of arXiv 2403.03206, and noise alone at the end that of
 * arXiv 2305.08891, algorithm 1, of the schedule itself.
 *
 * @param alphas the share of the picture in the variance at each training step
 * @param last the same after the last step
 * @param timesteps one per step, descending
 * @param stride training steps from one step to the next
 * @param predictionType what the model predicts
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ShiftedSchedule(
    double[] alphas, double last, int[] timesteps, int stride, String predictionType) {
  static ShiftedSchedule of(SchedulerSettings options, SchedulerRequest request) {
    options.requireNoEta(request);
    double[] alphas = alphas(options);
    options.requireAtMost(alphas.length, request);
    int[] timesteps = DiffusionSteps.spaced(options, alphas.length, request.steps());
    if (timesteps[0] >= alphas.length) {
      throw new ModelException(
          "%s: steps_offset leads to timestep %d of %d"
              .formatted(options.config().origin(), timesteps[0], alphas.length));
    }
    return new ShiftedSchedule(
        alphas,
        options.config().getBoolean("set_alpha_to_one", true) ? 1 : alphas[0],
        timesteps,
        alphas.length / request.steps(),
        options.oneOf("prediction_type", "epsilon", "v_prediction", "sample"));
  }

  private static double[] alphas(SchedulerSettings options) {
    double shift = options.config().getDouble("snr_shift_scale", 3);
    options.requireNeutral("trained_betas", "null");
    options.oneOf("beta_schedule", "scaled_linear"); // others are in fp32 there
    double first = Math.sqrt(options.config().getDouble("beta_start", 0.00085));
    double end = Math.sqrt(options.config().getDouble("beta_end", 0.012));
    double[] roots = Sequences.linear(first, end, options.positive("num_train_timesteps", 1000));
    double[] alphas = new double[roots.length];
    double product = 1;
    for (int i = 0; i < roots.length; i++) {
      product *= 1 - roots[i] * roots[i];
      alphas[i] = product / (shift + (1 - shift) * product);
    }
    return options.isTrue("rescale_betas_zero_snr") ? toNoiseAlone(alphas) : alphas;
  }

  private static double[] toNoiseAlone(double[] alphas) {
    double first = Math.sqrt(alphas[0]);
    double end = Math.sqrt(alphas[alphas.length - 1]);
    return Arrays.stream(alphas)
        .map(alpha -> (Math.sqrt(alpha) - end) * (first / (first - end)))
        .map(root -> root * root)
        .toArray();
  }

  /** {@link io.xfuser.scheduler.Scheduler#timesteps}. */
  double[] exactTimesteps() {
    return Arrays.stream(timesteps).asDoubleStream().toArray();
  }

  /** The share of the picture at step {@code step}. */
  double alpha(int step) {
    return alphas[timesteps[step]];
  }

  /** The same after it. */
  double next(int step) {
    return ends(step) ? last : alphas[timesteps[step] - stride];
  }

  /** Whether no training step is after {@code step}. */
  boolean ends(int step) {
    return timesteps[step] < stride;
  }
}
