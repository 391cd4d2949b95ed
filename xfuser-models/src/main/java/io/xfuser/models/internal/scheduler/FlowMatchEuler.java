package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Euler steps along a rectified flow. Source: arXiv 2403.03206, diffusers {@code
 * scheduling_flow_match_euler_discrete.py}. Stochastic sampling is refused.
 */
public final class FlowMatchEuler implements Scheduler {
  private final float[] sigmas; // (n + 1)
  private final double[] timesteps; // (n)

  private FlowMatchEuler(SchedulerSettings options, SchedulerRequest request) {
    options.requireNoEta(request);
    options.requireFalse("stochastic_sampling");
    SigmaCurves.check(options);
    int trainSteps = options.positive("num_train_timesteps", 1000);
    boolean inverted = options.isTrue("invert_sigmas");
    double[] levels = FlowSigmas.of(options, request);
    sigmas = Sequences.toFloats(levels, inverted ? 1 : 0);
    timesteps = new double[levels.length];
    for (int i = 0; i < levels.length; i++) {
      sigmas[i] = inverted ? 1 - sigmas[i] : sigmas[i];
      timesteps[i] = sigmas[i] * trainSteps;
    }
  }

  @Override
  public double[] timesteps() {
    return timesteps.clone();
  }

  @Override
  public boolean noisesPictures() {
    return true;
  }

  @Override
  public NDArray noised(NDManager owner, NDArray picture, NDArray noise, int step) {
    return Steps.PROGRAM.call(owner, "flow_noised", picture, noise, new double[] {sigmas[step]});
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int step = Steps.next(sample, timesteps.length);
    return new Sample(towards(step + 1, owner, sample, prediction), List.of(), step + 1);
  }

  @Override
  public NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    return towards(timesteps.length, owner, sample, prediction);
  }

  /** Straight on to the noise level {@code end}. */
  private NDArray towards(int end, NDManager owner, Sample sample, NDArray prediction) {
    double[] change = {sigmas[end] - sigmas[sample.step()]};
    return Steps.PROGRAM.call(owner, "flow", sample.tokens(), prediction, change);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("FlowMatchEulerDiscreteScheduler", FlowMatchEuler::new, Ability.MU, Ability.SIGMAS);
    }
  }
}
