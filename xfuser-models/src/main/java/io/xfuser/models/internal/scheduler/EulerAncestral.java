package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Euler steps below the next noise level, which fresh noise fills up. Source: arXiv 2006.11239 in
 * the form of k-diffusion, diffusers {@code scheduling_euler_ancestral_discrete.py}.
 */
public final class EulerAncestral extends EulerSolver {
  private EulerAncestral(SchedulerSettings options, SchedulerRequest request) {
    super(
        options.oneOf("prediction_type", "epsilon", "v_prediction"),
        sigmas(options, request, NoiseSchedule.of(options, true)));
  }

  private static EulerSigmas sigmas(
      SchedulerSettings options, SchedulerRequest request, NoiseSchedule schedule) {
    EulerSigmas.Levels levels =
        new EulerSigmas.Levels() {
          @Override
          public double[] at(double[] timesteps) {
            return Arrays.stream(timesteps).map(schedule::sigma).toArray();
          }

          @Override
          public boolean curved() {
            return false;
          }
        };
    return EulerSigmas.of(options, request, schedule, levels);
  }

  @Override
  public boolean stochastic() {
    return true;
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, sigmas.timesteps().length);
    NDArray stepNoise = Steps.requireNoise(noise, "Euler's ancestral steps add noise");
    float from = sigmas.values()[step];
    float to = sigmas.values()[step + 1];
    float squared = to * to;
    float up = Float32.sqrt(squared * (from * from - squared) / (from * from));
    float down = Float32.sqrt(squared - up * up);
    double[] coefficients = Arrays.copyOf(sigmas.ofOriginal(step), 5);
    coefficients[3] = down - from;
    coefficients[4] = up;
    NDArray tokens =
        Steps.PROGRAM.call(
            owner,
            "euler_ancestral",
            predictionType,
            sample.tokens(),
            prediction,
            stepNoise,
            coefficients);
    return new Sample(tokens, List.of(), step + 1);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("EulerAncestralDiscreteScheduler", EulerAncestral::new);
    }
  }
}
