package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.ConditionInput;

/**
 * Fixed position embeddings, sines and cosines of each token's column and row ({@code
 * get_2d_sincos_pos_embed} in diffusers).
 *
 * @param width C
 * @param base rows and columns of the grid trained on, to which others are scaled
 * @param scale by which positions are divided
 */
public record GridPositions(int width, int base, double scale) {
  static final Program PROGRAM = Program.load(GridPositions.class, "embedding.py");

  /** Embeddings of the tokens that {@code input} names, (l, C) in fp32, where {@code like} is. */
  public NDArray of(NDManager owner, ConditionInput input, NDArray like) {
    Axes axes = input.picture().sequence().denoised();
    try (NDManager scope = owner.newSubManager()) {
      return PROGRAM.call(
          owner,
          "grid_positions",
          input.coordinates(scope, like),
          axes.rows(),
          axes.columns(),
          (double) base,
          scale,
          width);
    }
  }

  /**
   * Embeddings of 0 to {@code count − 1} along one axis alone, (count, width) like {@code like}.
   */
  public static NDArray line(NDManager owner, int count, int width, NDArray like) {
    return PROGRAM.call(owner, "line_positions", count, width, like);
  }
}
