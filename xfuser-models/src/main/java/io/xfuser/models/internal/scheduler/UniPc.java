package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * UniPC of order 1 to 3: each step first corrects the last one with the prediction at its end. The
 * history is earlier predictions, newest first, and the sample that the last step started from.
 * Source: arXiv 2302.04867, diffusers {@code scheduling_unipc_multistep.py}. Refused are
 * thresholding, another predictor, and settings whose last step divides by zero.
 */
public final class UniPc extends MultistepSolver {
  private final int order;
  private final boolean lowerOrderFinal;
  private final Set<Integer> uncorrected;
  private final UniPcCoefficients.Solver solver;

  private UniPc(SchedulerSettings options, SchedulerRequest request) {
    super(
        options,
        MultistepSigmas.of(
            options, request, NoiseSchedule.of(options, true), MultistepSigmas.Rules.UNI_PC),
        options.config().getBoolean("predict_x0", true));
    ComponentConfig config = options.config();
    options.requireFalse("thresholding");
    options.requireNeutral("solver_p", "null");
    order = options.order();
    lowerOrderFinal = config.getBoolean("lower_order_final", true);
    uncorrected = new HashSet<>();
    if (config.has("disable_corrector")) {
      config.getDoubleList("disable_corrector").forEach(step -> uncorrected.add(step.intValue()));
    }
    String kind = options.oneOf("solver_type", "bh2", "bh1", "midpoint", "heun", "logrho");
    solver = new UniPcCoefficients.Solver(tables, prediction.picture(), kind.equals("bh1"));
    int last = sigmas.timesteps().length - 1;
    if (!solver.predictor(last, orderAt(last)).finite()) {
      throw new ModelException(
          config.origin()
              + ": the last step, down to no noise, divides by zero with these settings; it needs"
              + " final_sigmas_type \"sigma_min\", or solver_type \"bh2\", lower_order_final and"
              + " predict_x0");
    }
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray predicted, @Nullable NDArray noise) {
    int step = Steps.next(sample, sigmas.timesteps().length);
    NDArray newest = prediction.convert(owner, sample.tokens(), predicted, step);
    NDArray from = corrected(owner, sample, newest);
    List<NDArray> predictions = new ArrayList<>();
    predictions.add(newest);
    for (NDArray earlier : earlier(sample)) {
      if (predictions.size() < order) {
        predictions.add(Torch.alias(owner, earlier));
      }
    }
    int use = orderAt(step);
    UniPcCoefficients weights = solver.predictor(step, use);
    NDArray tokens =
        Steps.PROGRAM.call(
            owner,
            "unipc",
            from,
            predictions.subList(0, use),
            weights.linear(),
            weights.differences());
    List<NDArray> history = new ArrayList<>(predictions);
    history.add(from);
    return new Sample(tokens, List.copyOf(history), step + 1);
  }

  private int orderAt(int step) {
    int highest = lowerOrderFinal ? Math.min(order, sigmas.timesteps().length - step) : order;
    return Math.min(highest, step + 1);
  }

  private static List<NDArray> earlier(Sample sample) {
    List<NDArray> history = sample.history();
    return history.isEmpty() ? history : history.subList(0, history.size() - 1);
  }

  private NDArray corrected(NDManager owner, Sample sample, NDArray newest) {
    int last = sample.step() - 1;
    if (last < 0 || uncorrected.contains(last)) {
      return Torch.alias(owner, sample.tokens());
    }
    int use = orderAt(last);
    UniPcCoefficients weights = solver.corrector(last, use);
    return Steps.PROGRAM.call(
        owner,
        "unipc_corrected",
        sample.history().get(sample.history().size() - 1),
        earlier(sample).subList(0, use),
        newest,
        weights.linear(),
        weights.differences());
  }

  public static final class Provider extends SchedulerClass {
    public Provider() {
      super("UniPCMultistepScheduler", UniPc::new, Ability.MU);
    }
  }
}
