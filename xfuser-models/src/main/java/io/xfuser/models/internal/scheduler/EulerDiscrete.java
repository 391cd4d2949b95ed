package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Euler steps in the noise per unit of picture. Source: arXiv 2206.00364, diffusers {@code
 * scheduling_euler_discrete.py}. Refused are continuous timesteps of v-prediction.
 */
public final class EulerDiscrete extends EulerSolver {
  private EulerDiscrete(SchedulerSettings options, SchedulerRequest request) {
    super(predictionType(options), sigmas(options, request, NoiseSchedule.of(options, true)));
  }

  private static String predictionType(SchedulerSettings options) {
    SigmaCurves.check(options);
    String type = options.oneOf("prediction_type", "epsilon", "v_prediction", "sample");
    if (type.equals("v_prediction")) {
      options.requireNeutral("timestep_type", "\"discrete\"");
    }
    return type;
  }

  private static EulerSigmas sigmas(
      SchedulerSettings options, SchedulerRequest request, NoiseSchedule schedule) {
    boolean zero = options.oneOf("final_sigmas_type", "zero", "sigma_min").equals("zero");
    boolean linear = options.oneOf("interpolation_type", "linear", "log_linear").equals("linear");
    EulerSigmas.Levels levels =
        new EulerSigmas.Levels() {
          @Override
          public double[] at(double[] timesteps) {
            return linear
                ? Arrays.stream(timesteps).map(schedule::sigma).toArray()
                : schedule.evenInLogarithm(timesteps.length + 1); // one more than there are steps
          }

          @Override
          public float last() {
            return zero ? 0 : schedule.smallestSigma();
          }
        };
    return EulerSigmas.of(options, request, schedule, levels);
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, sigmas.timesteps().length);
    double[] coefficients = Arrays.copyOf(sigmas.ofOriginal(step), 4);
    coefficients[3] = sigmas.values()[step + 1] - sigmas.values()[step];
    NDArray tokens =
        Steps.PROGRAM.call(
            owner, "euler", predictionType, sample.tokens(), prediction, coefficients);
    return new Sample(tokens, List.of(), step + 1);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super(
          "EulerDiscreteScheduler",
          EulerDiscrete::new,
          Ability.TIMESTEPS,
          Ability.SIGMAS_TO_THE_END);
    }
  }
}
