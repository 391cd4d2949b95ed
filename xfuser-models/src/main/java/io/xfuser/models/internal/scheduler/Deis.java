package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DEIS of order 1 to 3 in the logarithm of rho = sigma / alpha, with earlier noise predictions as
 * its history. Source: arXiv 2204.13902, diffusers {@code scheduling_deis_multistep.py};
 * thresholding is refused.
 */
public final class Deis extends MultistepSolver {
  private final int order;
  private final boolean lowerOrderFinal;

  private Deis(SchedulerSettings options, SchedulerRequest request) {
    super(
        options,
        MultistepSigmas.of(
            options,
            request,
            NoiseSchedule.withoutRescaling(options, NoiseSchedule.BetaDefaults.DDPM),
            MultistepSigmas.Rules.DEIS),
        true);
    options.requireFalse("thresholding");
    options.oneOf("algorithm_type", "deis", "dpmsolver", "dpmsolver++");
    options.oneOf("solver_type", "logrho", "midpoint", "heun", "bh1", "bh2");
    order = options.order();
    lowerOrderFinal =
        sigmas.timesteps().length < DpmSolverMultistep.FEW_STEPS
            && options.config().getBoolean("lower_order_final", true);
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray predicted, @Nullable NDArray noise) {
    int step = Steps.next(sample, sigmas.timesteps().length);
    List<NDArray> newest = new ArrayList<>();
    newest.add(noise(owner, sample, predicted, step));
    for (NDArray earlier : sample.history()) {
      newest.add(Torch.alias(owner, earlier));
    }
    int use = Math.min(newest.size(), orderAt(step));
    NDArray tokens =
        Steps.PROGRAM.call(
            owner, "deis", sample.tokens(), newest.subList(0, use), weights(step, use));
    if (newest.size() == order) {
      newest.remove(order - 1).close();
    }
    return new Sample(tokens, List.copyOf(newest), step + 1);
  }

  private NDArray noise(NDManager owner, Sample sample, NDArray predicted, int step) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray original = prediction.convert(scope, sample.tokens(), predicted, step);
      double[] shares = {tables.alpha()[step], tables.sigma()[step]};
      return Steps.PROGRAM.call(
          owner, "predict_noise", "sample", sample.tokens(), original, shares);
    }
  }

  private int orderAt(int step) {
    int last = sigmas.timesteps().length - 1;
    if (!lowerOrderFinal || step < last - 1) {
      return order;
    }
    return step == last ? 1 : Math.min(order, 2);
  }

  /** What {@code deis} of steps.py takes. */
  private double[] weights(int step, int use) {
    float alpha = tables.alpha()[step + 1];
    float before = tables.alpha()[step];
    if (use == 1) {
      float gain = tables.sigma()[step + 1] * (Float32.exp(tables.h(step)) - 1);
      return new double[] {alpha / before, gain};
    }
    float[] rho = new float[use + 1]; // of the end, of the start, of earlier starts
    for (int i = 0; i <= use; i++) {
      rho[i] = tables.sigma()[step + 1 - i] / tables.alpha()[step + 1 - i];
    }
    double[] weights = new double[use + 2];
    weights[0] = alpha;
    weights[1] = before;
    for (int i = 1; i <= use; i++) {
      float next = rho[i % use + 1];
      weights[1 + i] =
          use == 2
              ? integral(rho[0], rho[i], next) - integral(rho[1], rho[i], next)
              : integral(rho[0], rho[i], next, rho[(i + 1) % use + 1])
                  - integral(rho[1], rho[i], next, rho[(i + 1) % use + 1]);
    }
    return weights;
  }

  /** Of (log t − log c) / (log b − log c) over t. */
  private static float integral(float t, float b, float c) {
    float logC = Float32.log(c);
    return t * (-logC + Float32.log(t) - 1) / (Float32.log(b) - logC);
  }

  /** Of (log t − log c)(log t − log d) / ((log b − log c)(log b − log d)) over t. */
  private static float integral(float t, float b, float c, float d) {
    float logB = Float32.log(b);
    float logC = Float32.log(c);
    float logD = Float32.log(d);
    float logT = Float32.log(t);
    float above = t * (logC * (logD - logT + 1) - logD * logT + logD + logT * logT - 2 * logT + 2);
    return above / ((logB - logC) * (logB - logD));
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("DEISMultistepScheduler", Deis::new, Ability.MU);
    }
  }
}
