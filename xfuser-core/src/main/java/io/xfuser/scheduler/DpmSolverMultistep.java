package io.xfuser.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DPM-Solver++ of order 1 to 3 with earlier predictions as its history. Source: arXiv 2211.01095,
 * diffusers {@code scheduling_dpmsolver_multistep.py}. Settings that it does not support are
 * refused: thresholding, learned variances, beta sigmas, other algorithms than {@code dpmsolver++}.
 */
public final class DpmSolverMultistep implements Scheduler {
  /** With fewer steps than this the last ones are of lower order, where so configured. */
  private static final int FEW_STEPS = 15;

  private final String predictionType;
  private final int order;
  private final boolean lowerOrderFinal;
  private final boolean firstOrderLast;
  private final DpmSigmas sigmas;
  private final DpmCoefficients coefficients;

  private DpmSolverMultistep(Options options, SchedulerRequest request) {
    ComponentConfig config = options.config();
    options.requireNoEta(request);
    options.requireNoSigmas(request);
    options.requireFalse("thresholding");
    options.requireNeutral("variance_type", "null");
    options.oneOf("algorithm_type", "dpmsolver++");
    predictionType =
        options.oneOf("prediction_type", "epsilon", "v_prediction", "sample", "flow_prediction");
    order = config.getInt("solver_order", 2);
    if (order < 1 || order > 3) {
      throw new IllegalArgumentException(
          config.origin() + ": solver_order is " + order + ", not 1, 2 or 3");
    }
    sigmas = DpmSigmas.of(options, request);
    boolean heun = options.oneOf("solver_type", "midpoint", "heun").equals("heun");
    coefficients = new DpmCoefficients(sigmas.values(), sigmas.flow(), heun);
    boolean few = sigmas.timesteps().length < FEW_STEPS;
    lowerOrderFinal = few && config.getBoolean("lower_order_final", true);
    firstOrderLast =
        lowerOrderFinal || options.isTrue("euler_at_final") || sigmas.endsWithoutNoise();
  }

  /**
   * The solver that {@code config} describes.
   *
   * @throws IllegalArgumentException naming a setting that is wrong or not supported
   */
  public static DpmSolverMultistep of(ComponentConfig config, SchedulerRequest request) {
    return new DpmSolverMultistep(new Options(config), request);
  }

  @Override
  public double[] timesteps() {
    return sigmas.timesteps().clone();
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    int steps = sigmas.timesteps().length;
    int step = Steps.next(sample, steps);
    NDArray original = predictOriginal(owner, sample.tokens(), prediction, step);
    List<NDArray> originals = new ArrayList<>(List.of(original)); // newest first
    for (NDArray earlier : sample.history()) {
      if (originals.size() < order) {
        originals.add(Torch.alias(owner, earlier));
      }
    }
    int use = Math.min(originals.size(), orderAt(step, steps));
    NDArray tokens =
        Steps.PROGRAM.call(
            owner,
            "multistep",
            sample.tokens(),
            originals.subList(0, use),
            coefficients.of(step, use));
    return new Sample(tokens, keep(originals), step + 1);
  }

  private int orderAt(int step, int steps) {
    if (step == steps - 1 && firstOrderLast) {
      return 1;
    }
    return step == steps - 2 && lowerOrderFinal ? Math.min(order, 2) : order;
  }

  /** The next step needs one less than the order, because it brings a prediction of its own. */
  private List<NDArray> keep(List<NDArray> originals) {
    if (originals.size() < order) {
      return List.copyOf(originals);
    }
    originals.remove(order - 1).close();
    return List.copyOf(originals);
  }

  private NDArray predictOriginal(NDManager owner, NDArray tokens, NDArray prediction, int step) {
    // a flow's noise level is the table's own, whichever way the other coefficients are made
    double sigma =
        predictionType.equals("flow_prediction") ? sigmas.values()[step] : coefficients.sigma(step);
    double[] alphaSigma = {coefficients.alpha(step), sigma};
    return Steps.PROGRAM.call(
        owner, "predict_original", predictionType, tokens, prediction, alphaSigma);
  }
}
