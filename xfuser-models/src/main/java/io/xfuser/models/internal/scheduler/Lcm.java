package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Latent consistency: each step predicts the picture and adds noise to it anew, the last one does
 * not. Source: arXiv 2310.04378, diffusers {@code scheduling_lcm.py}; thresholding is refused.
 */
public final class Lcm implements Scheduler {
  private static final NoiseSchedule.BetaDefaults DEFAULTS =
      new NoiseSchedule.BetaDefaults(0.00085, 0.012, "scaled_linear");

  /** Of the data, as the distillation takes it. */
  private static final float DEVIATION = 0.5f;

  private final NoiseSchedule schedule;
  private final int[] timesteps;
  private final String predictionType;
  private final double clip;
  private final float scaling;

  private Lcm(SchedulerSettings options, SchedulerRequest request) {
    ComponentConfig config = options.config();
    options.requireNoEta(request);
    options.requireFalse("thresholding");
    schedule = NoiseSchedule.of(options, false, DEFAULTS);
    timesteps =
        options
            .timesteps(request, schedule.length())
            .map(DiffusionSteps::whole)
            .orElseGet(() -> chosen(options, schedule.length(), request.steps()));
    predictionType = options.oneOf("prediction_type", "epsilon", "sample", "v_prediction");
    clip =
        options.isTrue("clip_sample")
            ? config.getDouble("clip_sample_range", 1)
            : Double.POSITIVE_INFINITY;
    scaling = (float) config.getDouble("timestep_scaling", 10);
  }

  /** Evenly among the timesteps of the distillation, from its last one down. */
  private static int[] chosen(SchedulerSettings options, int trainSteps, int steps) {
    int distilled = options.positive("original_inference_steps", 50);
    if (distilled > trainSteps || steps > distilled) {
      throw new ArgumentException(
          "%d steps of %d original_inference_steps of %d training steps in %s: each must be at most the next"
              .formatted(steps, distilled, trainSteps, options.config().origin()));
    }
    int[] timesteps = new int[steps];
    double stride = distilled / (double) steps;
    int ratio = trainSteps / distilled;
    Arrays.setAll(timesteps, i -> (distilled - (int) Math.floor(i * stride)) * ratio - 1);
    return timesteps;
  }

  @Override
  public double[] timesteps() {
    return Arrays.stream(timesteps).asDoubleStream().toArray();
  }

  @Override
  public boolean stochastic() {
    return timesteps.length > 1;
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, timesteps.length);
    boolean last = step == timesteps.length - 1;
    try (NDManager scope = owner.newSubManager()) {
      NDArray tokens = preview(last ? owner : scope, sample, prediction);
      if (!last) {
        float next = schedule.alphaCumprod(timesteps[step + 1]);
        double[] weights = {Float32.sqrt(next), Float32.sqrt(1 - next)};
        NDArray stepNoise = Steps.requireNoise(noise, "all steps of LCM but the last add noise");
        tokens = Steps.PROGRAM.call(owner, "mix", tokens, stepNoise, weights);
      }
      return new Sample(tokens, List.of(), step + 1);
    }
  }

  @Override
  public NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    int timestep = timesteps[sample.step()];
    float alpha = schedule.alphaCumprod(timestep);
    float time = timestep * scaling;
    float total = time * time + DEVIATION * DEVIATION;
    double[] coefficients = {
      Float32.sqrt(alpha),
      Float32.sqrt(1 - alpha),
      time / Float32.sqrt(total), // of the prediction, 1 for all but the smallest timesteps
      DEVIATION * DEVIATION / total // of the sample
    };
    return Steps.PROGRAM.call(
        owner, "consistent", predictionType, sample.tokens(), prediction, coefficients, clip);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("LCMScheduler", Lcm::new, Ability.TIMESTEPS);
    }
  }
}
