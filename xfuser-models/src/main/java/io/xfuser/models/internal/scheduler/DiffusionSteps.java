package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;

/**
 * What DDPM and DDIM read alike from their settings. Source: diffusers {@code scheduling_ddpm.py},
 * {@code scheduling_ddim.py}, arXiv 2305.08891, table 2; thresholding is refused.
 *
 * @param schedule the noise at each training step
 * @param timesteps one per step, descending
 * @param predictionType what the model predicts
 * @param clip the largest magnitude of a predicted original, often infinite
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record DiffusionSteps(NoiseSchedule schedule, int[] timesteps, String predictionType, double clip) {

  static DiffusionSteps of(SchedulerSettings options, SchedulerRequest request) {
    ComponentConfig config = options.config();
    options.requireFalse("thresholding");
    NoiseSchedule schedule = NoiseSchedule.of(options, false);
    options.requireAtMost(schedule.length(), request);
    int[] timesteps =
        options
            .timesteps(request, schedule.length())
            .map(DiffusionSteps::whole)
            .orElseGet(() -> spaced(options, schedule.length(), request.steps()));
    if (timesteps[0] >= schedule.length()) {
      throw new ModelException(
          "%s: steps_offset %s leads to timestep %d of %d"
              .formatted(
                  config.origin(), config.text("steps_offset"), timesteps[0], schedule.length()));
    }
    return new DiffusionSteps(
        schedule,
        timesteps,
        options.oneOf("prediction_type", "epsilon", "v_prediction", "sample"),
        config.getBoolean("clip_sample", true)
            ? config.getDouble("clip_sample_range", 1)
            : Double.POSITIVE_INFINITY);
  }

  static int[] whole(double[] timesteps) {
    return Arrays.stream(timesteps).mapToInt(timestep -> (int) timestep).toArray();
  }

  /** Timesteps as {@code timestep_spacing} says. */
  static int[] spaced(SchedulerSettings options, int trainSteps, int steps) {
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

  /** {@link Scheduler#timesteps}. */
  double[] exactTimesteps() {
    return Arrays.stream(timesteps).asDoubleStream().toArray();
  }

  /** The share of the picture in the variance after the last step or before step {@code step}. */
  float alphaCumprod(int step) {
    return step < timesteps.length ? schedule.alphaCumprod(timesteps[step]) : 1;
  }

  /** {@link Scheduler#original}. */
  NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    float alpha = alphaCumprod(Steps.next(sample, timesteps.length));
    double[] roots = {Float32.sqrt(alpha), Float32.sqrt(1 - alpha)};
    return Steps.PROGRAM.call(
        owner, "clipped_original", predictionType, sample.tokens(), prediction, roots, clip);
  }
}
