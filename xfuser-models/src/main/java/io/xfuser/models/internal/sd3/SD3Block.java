package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightList;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * Joint attention of image and text, each with its own weights, and an MLP for each ({@code
 * JointTransformerBlock} in diffusers).
 *
 * @param headSize width of a head
 * @param last whether the text ends here
 * @param second where the weights of the second attention begin, 0 where there is none
 * @param norms where the norms of queries and keys begin, 0 where there are none
 */
record SD3Block(int headSize, boolean last, int second, int norms, TensorList weights)
    implements Block<JointConditioning> {
  static SD3Block load(SD3Config config, int index, Weights block, Share share) {
    boolean last = index == config.depth() - 1;
    boolean dual = config.dual().contains(index);
    int second = last ? 14 : 20;
    int norms = second + (dual ? 4 : 0);
    return new SD3Block(
        config.headSize(),
        last,
        dual ? second : 0,
        config.normed() ? norms : 0,
        WeightList.of(block, share, w -> read(w, config, last, dual)));
  }

  private static WeightList read(WeightList w, SD3Config config, boolean last, boolean dual) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(4 * width);
    w.linear("norm1.linear", (dual ? 9L : 6L) * width, width)
        .linear("norm1_context.linear", (last ? 2L : 6L) * width, width)
        .inward(heads, width, "attn.to_q", "attn.to_k", "attn.to_v")
        .inward(heads, width, "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")
        .outward("attn.to_out.0", width, heads)
        .inward(neurons, width, "ff.net.0.proj")
        .outward("ff.net.2", width, neurons);
    if (!last) {
      w.outward("attn.to_add_out", width, heads)
          .inward(neurons, width, "ff_context.net.0.proj")
          .outward("ff_context.net.2", width, neurons);
    }
    if (dual) {
      w.inward(heads, width, "attn2.to_q", "attn2.to_k", "attn2.to_v")
          .outward("attn2.to_out.0", width, heads);
    }
    if (config.normed()) {
      norms(w, config, "attn.norm_");
      norms(w, config, "attn.norm_added_");
      if (dual) {
        norms(w, config, "attn2.norm_");
      }
    }
    return w;
  }

  private static void norms(WeightList w, SD3Config config, String name) {
    w.tensor(name + "q.weight", config.headSize()).tensor(name + "k.weight", config.headSize());
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = // (8, 12 or 15, B, 1, C)
        c.step().modulation(this, SD3.PROGRAM, "modulation");
    try (NDManager scope = owner.newSubManager()) {
      Qkv qkv = new Qkv(packed(scope, x, m), x.textTokens(), x.place().span());
      NDArray attended = context.attend(scope, 0, qkv); // (B, T + l, H, D)
      List<NDArray> others = // (B, l, H, D)
          second == 0 ? List.of() : List.of(attendAgain(scope, x, m, context));
      NDArray image = // (B, l, C)
          context
              .terms(2 + others.size(), SD3.PROGRAM)
              .call(owner, "after_attention", x.image(), attended, others, m, weights, second);
      NDArray text = x.text();
      return x.with(
          image,
          text == null || last
              ? null
              : context
                  .terms(2, SD3.PROGRAM)
                  .call(owner, "text_after_attention", text, attended, m, weights)); // (B, T, C)
    }
  }

  /** Queries, keys and values (B, T + l, 3, H, D). */
  private NDArray packed(NDManager scope, Hidden x, NDArray m) {
    NDArray text = x.text();
    return text == null
        ? SD3.PROGRAM.call(scope, "before_attention", x.image(), m, weights, norms, headSize)
        : SD3.PROGRAM.call(scope, "before_joint", x.image(), text, m, weights, norms, headSize);
  }

  private NDArray attendAgain(NDManager scope, Hidden x, NDArray m, BlockContext context) {
    NDArray packed = // (B, l, 3, H, D)
        SD3.PROGRAM.call(scope, "before_second", x.image(), m, weights, second, norms, headSize);
    return context.attend(scope, 1, new Qkv(packed, x.place().span()));
  }
}
