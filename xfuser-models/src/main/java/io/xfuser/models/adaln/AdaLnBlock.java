package io.xfuser.models.adaln;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.WeightList;
import io.xfuser.weights.Weights;
import java.util.List;

/**
 * Self-attention, cross-attention to the caption, MLP; adaLN-single shares the timestep's
 * projection. The frames of a video are rows of the batch that look at one caption.
 */
record AdaLnBlock(int heads, TensorList weights) implements Block<AdaLnConditioning> {
  static AdaLnBlock load(AdaLnConfig config, Weights block) {
    long width = config.width();
    return new AdaLnBlock(
        config.heads(),
        WeightList.of(
            block,
            w ->
                AdaLn.selfAttention(w, width)
                    .linear("attn2.to_q", width, width)
                    .linears(width, width, "attn2.to_k", "attn2.to_v")
                    .linear("attn2.to_out.0", width, width)));
  }

  @Override
  public Hidden forward(
      NDManager owner, Hidden x, AdaLnConditioning c, List<Attention> attentions) {
    NDArray t = c.modulation(); // (6, C)
    NDArray textKeyValues = // (B, T, 2, H, D)
        c.kept()
            .get(
                this,
                request ->
                    AdaLn.PROGRAM.call(request, "text_key_values", c.text(), weights, heads));
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = // (B·F, l, 3, H, D)
          AdaLn.PROGRAM.call(
              scope, "before_attention", x.image(), t, weights, heads, AdaLnConfig.EPSILON);
      NDArray attended =
          attentions.get(0).attend(scope, new Qkv(packed, x.place().span())); // (B·F, l, H, D)
      return x.with(
          AdaLn.PROGRAM.call( // (B·F, l, C)
              owner,
              "after_attention",
              x.image(),
              attended,
              t,
              textKeyValues,
              c.textMask(),
              weights,
              AdaLnConfig.EPSILON));
    }
  }
}
