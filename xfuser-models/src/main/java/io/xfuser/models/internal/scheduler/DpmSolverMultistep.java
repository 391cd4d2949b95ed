package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.scheduler.DpmCoefficients.Algorithm;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver and DPM-Solver++ of order 1 to 3, as differential equations without noise or with it,
 * with earlier predictions as their history. Source: arXiv 2206.00927, 2211.01095, diffusers {@code
 * scheduling_dpmsolver_multistep.py}. Refused are thresholding, learned variances, and what
 * diffusers refuses: noise predictions down to no noise, and a stochastic one of order 3.
 */
public final class DpmSolverMultistep extends MultistepSolver {
  /** With fewer steps than this the last ones are of lower order, where so configured. */
  static final int FEW_STEPS = 15;

  private final Algorithm algorithm;
  private final int order;
  private final boolean lowerOrderFinal;
  private final boolean firstOrderLast;
  private final DpmCoefficients coefficients;

  DpmSolverMultistep(SchedulerSettings options, SchedulerRequest request) {
    super(
        options,
        MultistepSigmas.of(
            options, request, NoiseSchedule.of(options, true), MultistepSigmas.Rules.DPM_SOLVER),
        Algorithm.of(options).predictsPicture());
    ComponentConfig config = options.config();
    options.requireFalse("thresholding");
    options.requireNeutral("variance_type", "null");
    algorithm = Algorithm.of(options);
    order = options.order();
    String name = config.getString("algorithm_type", "");
    if (!algorithm.predictsPicture() && sigmas.endsWithoutNoise()) {
      throw new ModelException(
          "%s: algorithm_type %s needs final_sigmas_type \"sigma_min\""
              .formatted(config.origin(), name));
    }
    if (algorithm == Algorithm.SDE_DPM_SOLVER && order == 3) {
      throw new ModelException(
          "%s: algorithm_type %s has no solver_order 3".formatted(config.origin(), name));
    }
    boolean heun =
        options.oneOf("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2").equals("heun");
    coefficients = new DpmCoefficients(tables, algorithm, heun);
    boolean few = sigmas.timesteps().length < FEW_STEPS;
    lowerOrderFinal = few && config.getBoolean("lower_order_final", true);
    firstOrderLast =
        lowerOrderFinal || options.isTrue("euler_at_final") || sigmas.endsWithoutNoise();
  }

  @Override
  public boolean stochastic() {
    return algorithm.stochastic();
  }

  @Override
  public ElementType noiseType(ElementType run) {
    return ElementType.FLOAT32; // steps are computed in it
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray predicted, @Nullable NDArray noise) {
    int steps = sigmas.timesteps().length;
    int step = Steps.next(sample, steps);
    List<NDArray> newest = new ArrayList<>();
    newest.add(prediction.convert(owner, sample.tokens(), predicted, step));
    for (NDArray earlier : sample.history()) {
      if (newest.size() < order) {
        newest.add(Torch.alias(owner, earlier));
      }
    }
    int use = Math.min(newest.size(), orderAt(step, steps));
    double[] weights = coefficients.of(step, use);
    NDArray tokens;
    if (stochastic()) {
      NDArray stepNoise = Steps.requireNoise(noise, "a stochastic DPM-Solver adds noise");
      tokens =
          Steps.PROGRAM.call(
              owner,
              "noisy_multistep",
              sample.tokens(),
              newest.subList(0, use),
              stepNoise,
              weights);
    } else {
      tokens =
          Steps.PROGRAM.call(owner, "multistep", sample.tokens(), newest.subList(0, use), weights);
    }
    return new Sample(tokens, keep(newest), step + 1);
  }

  private int orderAt(int step, int steps) {
    if (step == steps - 1 && firstOrderLast) {
      return 1;
    }
    return step == steps - 2 && lowerOrderFinal ? Math.min(order, 2) : order;
  }

  /** The next step needs one less than the order, because it brings a prediction of its own. */
  private List<NDArray> keep(List<NDArray> predictions) {
    if (predictions.size() < order) {
      return List.copyOf(predictions);
    }
    predictions.remove(order - 1).close();
    return List.copyOf(predictions);
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("DPMSolverMultistepScheduler", DpmSolverMultistep::new, Ability.MU, Ability.TIMESTEPS);
    }
  }
}
