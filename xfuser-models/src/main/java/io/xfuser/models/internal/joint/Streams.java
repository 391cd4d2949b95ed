package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Hidden;
import java.util.List;

/** The arithmetic of blocks of two streams, and of one. */
public final class Streams {
  /** Their program. */
  public static final Program PROGRAM =
      Program.load(Streams.class, "stream.py", "rotary.py", "blocks.py", "pictures.py");

  /**
   * Of layers that each double block has: {@code norm1.linear} and {@code norm1_context.linear}.
   */
  public static final Modulation OWN =
      (step, block) -> step.of(block, PROGRAM, "double_modulation");

  private Streams() {}

  /** Cosines and sines (l, D/2, 2) of the tokens of {@code x}. */
  static NDArray rotation(NDManager owner, Hidden x, JointConditioning c) {
    TokenRange local = x.place().local();
    return Torch.slice(owner, c.places(), 0, local.from(), local.to());
  }

  /**
   * Cosines and sines (l, D/2, 2) in fp32 of all image tokens of this rank, where {@code like} is.
   *
   * @param axes how much of a head turns with a token's segment, its row and its column
   */
  public static NDArray rotation(
      NDManager owner, ConditionInput input, NDArray like, List<Integer> axes) {
    long[] sizes = axes.stream().mapToLong(Integer::longValue).toArray();
    try (NDManager scope = owner.newSubManager()) {
      return PROGRAM.call(owner, "rotation", input.coordinates(scope, like), sizes);
    }
  }

  /** The text (B, T, C) that enters the first block, by the layer {@code context_embedder}. */
  public static NDArray text(NDManager owner, NDArray embeds, TensorMap weights) {
    return PROGRAM.call(owner, "embed_text", embeds, weights);
  }

  /** Those of an MLP of these blocks. */
  static Inner neurons(Inner heads) {
    return Inner.neurons(4 * Math.toIntExact(heads.width()));
  }
}
