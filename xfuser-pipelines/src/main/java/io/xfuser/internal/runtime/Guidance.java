package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GenerationRequest;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How predictions with and without the prompt become one (classifier-free guidance, arXiv
 * 2207.12598).
 */
sealed interface Guidance {
  /** What the transformer is given for the latents (B, l, c): the rows of this rank's text. */
  NDArray batch(NDManager owner, NDArray tokens);

  /** The prediction (B, l, c) from the transformer's rows at {@code timestep}. */
  NDArray combine(NDManager owner, NDArray prediction, double timestep);

  /**
   * {@code combined}, led away from what {@code without} predicts with the prompt.
   *
   * @param prediction the transformer's rows, as {@link #combine} had them
   * @param without (B, l, c), asked for on the ranks that have the prompt
   */
  default NDArray leadAway(
      NDManager owner, NDArray combined, NDArray prediction, WithoutLayers without) {
    throw new IllegalStateException("there is no guidance to lead anywhere");
  }

  /** This rank's rows of text tensors. */
  NDArray text(NDManager owner, NDArray negative, NDArray positive);

  /** This rank's rows of the text tensors of both prompts, by name. */
  default Map<String, NDArray> texts(NDManager owner, Map<String, NDArray> both) {
    Map<String, NDArray> mine = new TreeMap<>();
    both.forEach(
        (name, positive) -> {
          if (!name.startsWith(InputConfig.NEGATIVE)) {
            NDArray negative = both.getOrDefault(InputConfig.NEGATIVE + name, positive);
            mine.put(name, text(owner, negative, positive));
          }
        });
    return mine;
  }

  /**
   * The one of {@code plan}'s request, if that is guided.
   *
   * @param options how the prompt is weighed in the steps of {@code plan}
   */
  static Guidance of(RankPlan plan, GenerationRequest.GuidanceOptions options, RankGroups groups) {
    if (!plan.request().guided()) {
      return new None();
    }
    long tokens = (long) plan.request().latents().axes().tokens();
    Weighing weighing = new Weighing(options, tokens, groups.statistics());
    return groups.cfg().size() == 1 ? new Batched(weighing) : new Parallel(weighing, groups.cfg());
  }

  /**
   * The two predictions as one.
   *
   * @param options how the prompt is weighed
   * @param tokens of the whole picture
   * @param shards the ranks that hold them
   */
  record Weighing(GenerationRequest.GuidanceOptions options, long tokens, Communicator shards) {
    NDArray combine(NDManager owner, NDArray negative, NDArray positive, double timestep) {
      if (!options.bounds().at(timestep)) {
        return Torch.copy(owner, positive);
      }
      String function = options.keepsLengths() ? "guide_in_length" : "guide";
      double scale = scale(timestep);
      if (options.needingAll().isEmpty()) {
        return Arithmetic.PROGRAM.call(owner, function, negative, positive, scale);
      }
      try (NDManager scope = owner.newSubManager()) {
        NDArray guided = Arithmetic.PROGRAM.call(scope, function, negative, positive, scale);
        if (options.rescale() == 0) {
          return shortened(owner, guided, positive);
        }
        double count = (double) tokens * positive.getShape().get(2);
        NDArray sums = // (2, B)
            shards.allReduceSum(scope, Arithmetic.PROGRAM.call(scope, "sums", positive, guided));
        NDArray means = Arithmetic.PROGRAM.call(scope, "scale", sums, 1 / count);
        NDArray squares =
            shards.allReduceSum(
                scope, Arithmetic.PROGRAM.call(scope, "squares", positive, guided, means));
        return Arithmetic.PROGRAM.call(owner, "rescale", guided, squares, options.rescale());
      }
    }

    /**
     * As diffusers' {@code use_dynamic_cfg}, which sets a timestep of the noise schedule off
     * against the number of steps.
     */
    private double scale(double timestep) {
      double steps = options.course();
      if (steps == 0) {
        return options.scale();
      }
      double turn = StrictMath.pow((steps - timestep) / steps, 5);
      return 1 + options.scale() * (1 - StrictMath.cos(Math.PI * turn)) / 2;
    }

    private NDArray shortened(NDManager owner, NDArray guided, NDArray positive) {
      try (NDManager scope = owner.newSubManager()) {
        NDArray squares = // (2, B)
            shards.allReduceSum(scope, Arithmetic.PROGRAM.call(scope, "lengths", positive, guided));
        return Arithmetic.PROGRAM.call(
            owner, "shorten", guided, squares, options.bounds().length());
      }
    }
  }

  /** The positive prompt alone. */
  record None() implements Guidance {
    @Override
    public NDArray batch(NDManager owner, NDArray tokens) {
      return Torch.alias(owner, tokens);
    }

    @Override
    public NDArray combine(NDManager owner, NDArray prediction, double timestep) {
      return Torch.alias(owner, prediction);
    }

    @Override
    public NDArray text(NDManager owner, NDArray negative, NDArray positive) {
      return Torch.alias(owner, positive);
    }
  }

  /** Both on this rank, the negative prompts first. */
  record Batched(Weighing weighing) implements Guidance {
    @Override
    public NDArray batch(NDManager owner, NDArray tokens) {
      return Torch.concat(owner, List.of(tokens, tokens), 0); // (2B, l, c)
    }

    @Override
    public NDArray combine(NDManager owner, NDArray prediction, double timestep) {
      try (NDManager scope = owner.newSubManager()) {
        long rows = prediction.getShape().get(0) / 2;
        NDArray negative = Torch.slice(scope, prediction, 0, 0, rows);
        NDArray positive = Torch.slice(scope, prediction, 0, rows, 2 * rows);
        return weighing.combine(owner, negative, positive, timestep);
      }
    }

    @Override
    public NDArray leadAway(
        NDManager owner, NDArray combined, NDArray prediction, WithoutLayers without) {
      try (NDManager scope = owner.newSubManager()) {
        long rows = prediction.getShape().get(0);
        NDArray positive = Torch.slice(scope, prediction, 0, rows / 2, rows);
        NDArray away = without.difference(scope, positive); // (B, l, c)
        return without.led(owner, combined, away);
      }
    }

    @Override
    public NDArray text(NDManager owner, NDArray negative, NDArray positive) {
      return Torch.concat(owner, List.of(negative, positive), 0);
    }
  }

  /** The negative prompts on rank 0 of {@code cfg}, the positive ones on rank 1. */
  record Parallel(Weighing weighing, Communicator cfg) implements Guidance {
    @Override
    public NDArray batch(NDManager owner, NDArray tokens) {
      return Torch.alias(owner, tokens);
    }

    @Override
    public NDArray combine(NDManager owner, NDArray prediction, double timestep) {
      try (NDManager scope = owner.newSubManager()) {
        List<NDArray> both = cfg.startAllGather(prediction).await(scope);
        return weighing.combine(owner, both.get(0), both.get(1), timestep);
      }
    }

    @Override
    public NDArray leadAway(
        NDManager owner, NDArray combined, NDArray prediction, WithoutLayers without) {
      try (NDManager scope = owner.newSubManager()) {
        List<NDArray> own =
            cfg.isFirst() ? List.of() : List.of(without.difference(scope, prediction));
        return without.led(owner, combined, cfg.broadcast(scope, own, 1).get(0));
      }
    }

    @Override
    public NDArray text(NDManager owner, NDArray negative, NDArray positive) {
      return Torch.alias(owner, cfg.isFirst() ? negative : positive);
    }
  }

  /** The arithmetic of this package. */
  final class Arithmetic {
    static final Program PROGRAM = Program.load(Guidance.class, "pipeline.py");

    private Arithmetic() {}
  }
}
