package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
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
   * The same of the tokens of a video ({@code get_3d_sincos_pos_embed} in diffusers), in the
   * element type of {@code like}.
   *
   * @param space by which rows and columns are divided
   * @param time by which frames are
   */
  public static NDArray ofVideo(
      NDManager owner, ConditionInput input, NDArray like, double space, double time, int width) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray exact =
          PROGRAM.call(
              scope, "video_positions", input.coordinates(scope, like), space, time, width);
      return Torch.cast(owner, exact, ElementType.of(like)); // (l, C)
    }
  }

  /**
   * Embeddings of 0 to {@code count − 1} along one axis alone, (count, width) like {@code like}.
   */
  public static NDArray line(NDManager owner, int count, int width, NDArray like) {
    return PROGRAM.call(owner, "line_positions", count, width, like);
  }
}
