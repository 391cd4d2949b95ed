package io.xfuser.models.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.WeightList;
import io.xfuser.weights.Weights;
import java.util.List;

/**
 * Self-attention, cross-attention to both texts, MLP; a block of the second half first joins the
 * output of its mirror image in the first half.
 */
record HunyuanDiTBlock(int heads, TensorList weights) implements Block<HunyuanDiTConditioning> {
  static HunyuanDiTBlock load(HunyuanDiTConfig config, Weights block, boolean skip) {
    return new HunyuanDiTBlock(
        config.heads(),
        WeightList.of(block, w -> skip ? skip(config, layers(config, w)) : layers(config, w)));
  }

  private static WeightList layers(HunyuanDiTConfig config, WeightList w) {
    long width = config.width();
    long head = config.headSize();
    return w.norm("norm1.norm", width)
        .linear("norm1.linear", width, width)
        .linears(width, width, "attn1.to_q", "attn1.to_k", "attn1.to_v")
        .norm("attn1.norm_q", head)
        .norm("attn1.norm_k", head)
        .linear("attn1.to_out.0", width, width)
        .norm("norm2", width)
        .linear("attn2.to_q", width, width)
        .norm("attn2.norm_q", head)
        .linears(width, config.text().bert(), "attn2.to_k", "attn2.to_v")
        .norm("attn2.norm_k", head)
        .linear("attn2.to_out.0", width, width)
        .norm("norm3", width)
        .linear("ff.net.0.proj", config.mlpWidth(), width)
        .linear("ff.net.2", width, config.mlpWidth());
  }

  private static WeightList skip(HunyuanDiTConfig config, WeightList w) {
    long width = config.width();
    return w.norm("skip_norm", 2 * width).linear("skip_linear", width, 2 * width);
  }

  @Override
  public Hidden forward(
      NDManager owner, Hidden x, HunyuanDiTConditioning c, List<Attention> attentions) {
    NDArray textKeyValues = // (B, T, 2, H, D)
        c.textKeyValues()
            .get(this, request -> run(request, "text_key_values", c.text(), weights, heads));
    try (NDManager scope = owner.newSubManager()) {
      NDArray skip = x.skip();
      NDArray image = // (B, l, C)
          skip == null ? x.image() : run(scope, "join_skip", x.image(), skip, weights);
      NDArray rotation = // (l, D/2, 2)
          Torch.slice(scope, c.rotation(), 0, x.place().local().from(), x.place().local().to());
      NDArray packed = // (B, l, 3, H, D)
          run(scope, "before_attention", image, c.condition(), rotation, weights, heads);
      NDArray attended =
          attentions.get(0).attend(scope, new Qkv(packed, x.place().span())); // (B, l, H, D)
      return x.with( // (B, l, C)
          run(owner, "after_attention", image, attended, textKeyValues, rotation, weights));
    }
  }

  private static NDArray run(NDManager owner, String function, Object... arguments) {
    return HunyuanDiT.PROGRAM.call(owner, function, arguments);
  }
}
