package io.xfuser.models.pixart;

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
 * projection.
 */
record PixArtBlock(int heads, TensorList weights) implements Block<PixArtConditioning> {
  static PixArtBlock load(PixArtConfig config, Weights block) {
    long width = config.width();
    return new PixArtBlock(
        config.heads(),
        WeightList.of(
            block,
            w ->
                w.tensor("scale_shift_table", 6, width)
                    .linears(width, width, "attn1.to_q", "attn1.to_k", "attn1.to_v")
                    .linear("attn1.to_out.0", width, width)
                    .linear("attn2.to_q", width, width)
                    .linears(width, width, "attn2.to_k", "attn2.to_v")
                    .linear("attn2.to_out.0", width, width)
                    .linear("ff.net.0.proj", 4 * width, width)
                    .linear("ff.net.2", width, 4 * width)));
  }

  @Override
  public Hidden forward(
      NDManager owner, Hidden x, PixArtConditioning c, List<Attention> attentions) {
    NDArray t = c.step(); // (6, C)
    NDArray textKeyValues = // (B, T, 2, H, D)
        c.textKeyValues()
            .get(
                this,
                request ->
                    PixArt.PROGRAM.call(request, "text_key_values", c.text(), weights, heads));
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = // (B, l, 3, H, D)
          PixArt.PROGRAM.call(
              scope, "before_attention", x.image(), t, weights, heads, PixArtConfig.EPSILON);
      NDArray attended =
          attentions.get(0).attend(scope, new Qkv(packed, x.place().span())); // (B, l, H, D)
      return x.with(
          PixArt.PROGRAM.call( // (B, l, C)
              owner,
              "after_attention",
              x.image(),
              attended,
              t,
              textKeyValues,
              c.textMask(),
              weights,
              PixArtConfig.EPSILON));
    }
  }
}
