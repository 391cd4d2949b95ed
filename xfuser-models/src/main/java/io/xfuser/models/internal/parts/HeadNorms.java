package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.BlockContext;

/**
 * Norms by the root mean square of all heads together ({@code rms_norm_across_heads} in diffusers).
 * Where a block is computed in shares, each has the squares of its heads, and all are added up.
 *
 * @param program has {@code squares}, of {@code heads.py} and by the number of a norm, and {@code
 *     normed}, which also takes what is told beside that
 * @param weights of the block
 */
public record HeadNorms(Program program, TensorMap weights) {
  /**
   * {@code x} (B, l, n, H, D), of which the first ones of n are normed in their place.
   *
   * @param norm its number in the program
   */
  public NDArray apply(NDManager owner, BlockContext context, NDArray x, int norm, Object... more) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = program.call(scope, "squares", x, weights, norm); // (B, l, k)
      NDArray all = context.share().isWhole() ? own : context.sum().of(scope, own);
      Object[] arguments = new Object[more.length + 4];
      arguments[0] = x;
      arguments[1] = all;
      arguments[2] = weights;
      arguments[3] = norm;
      System.arraycopy(more, 0, arguments, 4, more.length);
      return program.call(owner, "normed", arguments);
    }
  }
}
