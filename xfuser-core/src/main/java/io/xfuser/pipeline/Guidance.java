package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.parallel.Communicator;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;

/**
 * How predictions with and without the prompt become one (classifier-free guidance, arXiv
 * 2207.12598).
 */
sealed interface Guidance {
  /** What the transformer is given for the latents (B, l, c): the rows of this rank's text. */
  NDArray batch(NDManager owner, NDArray tokens);

  /** The prediction (B, l, c) from the transformer's rows. */
  NDArray combine(NDManager owner, NDArray prediction);

  /** This rank's rows of text tensors. */
  NDArray text(NDManager owner, NDArray negative, NDArray positive);

  /** The one for {@code scale}, over the ranks of {@code cfg}. */
  static Guidance of(double scale, Communicator cfg) {
    if (scale <= 1) {
      return new None();
    }
    return cfg.size() == 1 ? new Batched(scale) : new Parallel(scale, cfg);
  }

  /** The positive prompt alone. */
  record None() implements Guidance {
    @Override
    public NDArray batch(NDManager owner, NDArray tokens) {
      return Torch.alias(owner, tokens);
    }

    @Override
    public NDArray combine(NDManager owner, NDArray prediction) {
      return Torch.alias(owner, prediction);
    }

    @Override
    public NDArray text(NDManager owner, NDArray negative, NDArray positive) {
      return Torch.alias(owner, positive);
    }
  }

  /** Both on this rank, the negative prompts first. */
  record Batched(double scale) implements Guidance {
    @Override
    public NDArray batch(NDManager owner, NDArray tokens) {
      return Torch.concat(owner, List.of(tokens, tokens), 0); // (2B, l, c)
    }

    @Override
    public NDArray combine(NDManager owner, NDArray prediction) {
      try (NDManager scope = owner.newSubManager()) {
        long rows = prediction.getShape().get(0) / 2;
        NDArray negative = Torch.slice(scope, prediction, 0, 0, rows);
        NDArray positive = Torch.slice(scope, prediction, 0, rows, 2 * rows);
        return Arithmetic.PROGRAM.call(owner, "guide", negative, positive, scale);
      }
    }

    @Override
    public NDArray text(NDManager owner, NDArray negative, NDArray positive) {
      return Torch.concat(owner, List.of(negative, positive), 0);
    }
  }

  /** The negative prompts on rank 0 of {@code cfg}, the positive ones on rank 1. */
  record Parallel(double scale, Communicator cfg) implements Guidance {
    @Override
    public NDArray batch(NDManager owner, NDArray tokens) {
      return Torch.alias(owner, tokens);
    }

    @Override
    public NDArray combine(NDManager owner, NDArray prediction) {
      try (NDManager scope = owner.newSubManager()) {
        List<NDArray> both = cfg.startAllGather(prediction).await(scope);
        return Arithmetic.PROGRAM.call(owner, "guide", both.get(0), both.get(1), scale);
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
