package io.xfuser.models.sd3;

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
import org.jspecify.annotations.Nullable;

/**
 * Joint attention of image and text, each with its own weights, and an MLP for each ({@code
 * JointTransformerBlock} in diffusers).
 *
 * @param heads attention heads
 * @param last whether the text ends here
 * @param second where the weights of the second attention begin, 0 where there is none
 * @param norms where the norms of queries and keys begin, 0 where there are none
 */
record SD3Block(int heads, boolean last, int second, int norms, TensorList weights)
    implements Block<SD3Conditioning> {
  static SD3Block load(SD3Config config, int index, Weights block) {
    boolean last = index == config.depth() - 1;
    boolean dual = config.dual().contains(index);
    int second = last ? 14 : 20;
    int norms = second + (dual ? 4 : 0);
    return new SD3Block(
        config.heads(),
        last,
        dual ? second : 0,
        config.normed() ? norms : 0,
        WeightList.of(block, w -> read(w, config, last, dual)));
  }

  private static WeightList read(WeightList w, SD3Config config, boolean last, boolean dual) {
    long width = config.width();
    w.linear("norm1.linear", (dual ? 9 : 6) * width, width)
        .linear("norm1_context.linear", (last ? 2 : 6) * width, width)
        .linears(width, width, "attn.to_q", "attn.to_k", "attn.to_v")
        .linears(width, width, "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")
        .linear("attn.to_out.0", width, width)
        .linear("ff.net.0.proj", 4 * width, width)
        .linear("ff.net.2", width, 4 * width);
    if (!last) {
      w.linear("attn.to_add_out", width, width)
          .linear("ff_context.net.0.proj", 4 * width, width)
          .linear("ff_context.net.2", width, 4 * width);
    }
    if (dual) {
      w.linears(width, width, "attn2.to_q", "attn2.to_k", "attn2.to_v")
          .linear("attn2.to_out.0", width, width);
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
  public Hidden forward(NDManager owner, Hidden x, SD3Conditioning c, List<Attention> attentions) {
    NDArray m = // (8, 12 or 15, B, 1, C)
        c.step()
            .modulations()
            .get(this, to -> SD3.PROGRAM.call(to, "modulation", c.step().vector(), weights));
    try (NDManager scope = owner.newSubManager()) {
      Qkv qkv = new Qkv(packed(scope, x, m), x.textTokens(), x.place().span());
      NDArray attended = attentions.get(0).attend(scope, qkv); // (B, T + l, H, D)
      List<NDArray> others = // (B, l, H, D)
          second == 0 ? List.of() : List.of(attendAgain(scope, x, m, attentions.get(1)));
      NDArray image = // (B, l, C)
          SD3.PROGRAM.call(
              owner, "after_attention", x.image(), attended, others, m, weights, second);
      return x.with(image, text(owner, x.text(), attended, m));
    }
  }

  /** Queries, keys and values (B, T + l, 3, H, D). */
  private NDArray packed(NDManager scope, Hidden x, NDArray m) {
    NDArray text = x.text();
    return text == null
        ? SD3.PROGRAM.call(scope, "before_attention", x.image(), m, weights, norms, heads)
        : SD3.PROGRAM.call(scope, "before_joint", x.image(), text, m, weights, norms, heads);
  }

  private NDArray attendAgain(NDManager scope, Hidden x, NDArray m, Attention attention) {
    NDArray packed = // (B, l, 3, H, D)
        SD3.PROGRAM.call(scope, "before_second", x.image(), m, weights, second, norms, heads);
    return attention.attend(scope, new Qkv(packed, x.place().span()));
  }

  private @Nullable NDArray text(
      NDManager owner, @Nullable NDArray text, NDArray attended, NDArray m) {
    return text == null || last
        ? null
        : SD3.PROGRAM.call(owner, "text_after_attention", text, attended, m, weights); // (B, T, C)
  }
}
