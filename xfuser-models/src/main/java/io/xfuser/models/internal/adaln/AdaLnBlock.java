package io.xfuser.models.internal.adaln;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;

/**
 * Self-attention, cross-attention to the caption, MLP; adaLN-single shares the timestep's
 * projection. The frames of a video are rows of the batch that look at one caption.
 */
record AdaLnBlock(int headSize, TensorMap weights) implements Block<AdaLnConditioning> {
  static AdaLnBlock load(AdaLnConfig config, Weights block, Share share) {
    long width = config.width();
    return new AdaLnBlock(
        config.headSize(),
        WeightMap.of(
            block,
            share,
            w ->
                AdaLn.selfAttention(w, config)
                    .inward("attn2.to_q", config.inner(), width)
                    .inward(Joined.keysValues("attn2"), config.inner(), width)
                    .outward("attn2.to_out.0", width, config.inner())));
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, AdaLnConditioning c, BlockContext context) {
    NDArray m = c.modulation(this, AdaLn.PROGRAM); // (6 or more, 1, 1, C)
    NDArray textKeyValues = // (B, T, 2, H, D)
        c.kept()
            .get(
                this,
                request ->
                    AdaLn.PROGRAM.call(request, "text_key_values", c.text(), weights, headSize));
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = // (B·F, l, 3, H, D)
          AdaLn.PROGRAM.call(
              scope, "before_attention", x.image(), m, weights, headSize, AdaLnConfig.EPSILON);
      NDArray attended =
          context.attend(scope, 0, new Qkv(packed, x.place().span())); // (B·F, l, H, D)
      return x.with(
          context
              .terms(3, AdaLn.PROGRAM)
              .call( // (B·F, l, C)
                  owner,
                  "after_attention",
                  x.image(),
                  attended,
                  m,
                  textKeyValues,
                  c.textMask(),
                  weights,
                  AdaLnConfig.EPSILON));
    }
  }

  @Override
  public NDArray modulated(NDManager owner, Hidden x, AdaLnConditioning c) {
    NDArray m = c.modulation(this, AdaLn.PROGRAM);
    return AdaLn.PROGRAM.call(owner, "modulated", x.image(), m, AdaLnConfig.EPSILON);
  }
}
