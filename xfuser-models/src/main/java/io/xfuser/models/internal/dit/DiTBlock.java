package io.xfuser.models.internal.dit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;

/** Self-attention and MLP, each modulated by time and class (adaLN-zero). */
record DiTBlock(DiTConfig config, TensorMap weights) implements Block<DiTConditioning> {
  @Override
  public Hidden forward(NDManager owner, Hidden x, DiTConditioning c, BlockContext context) {
    NDArray m = c.modulation(this, "modulation"); // (6, B, 1, C)
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = // (B, l, 3, H, D)
          DiT.PROGRAM.call(
              scope,
              "before_attention",
              x.image(),
              m,
              weights,
              config.headSize(),
              DiTConfig.EPSILON);
      NDArray attended =
          context.attend(scope, 0, new Qkv(packed, x.place().span())); // (B, l, H, D)
      return x.with(
          context
              .terms(2, DiT.PROGRAM)
              .call( // (B, l, C)
                  owner, "after_attention", x.image(), attended, m, weights, config.mlpEpsilon()));
    }
  }

  @Override
  public NDArray modulated(NDManager owner, Hidden x, DiTConditioning c) {
    NDArray m = c.modulation(this, "modulation");
    return DiT.PROGRAM.call(owner, "modulated", x.image(), m, DiTConfig.EPSILON);
  }
}
