package io.xfuser.models.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.models.joint.JointConditioning;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.WeightList;
import io.xfuser.weights.Weights;
import java.util.List;

/**
 * Attention and MLP side by side, with the same weights for text and image.
 *
 * @param last whether the text ends here: nothing reads it after this block
 */
record FluxSingleBlock(int heads, boolean last, TensorList weights)
    implements Block<JointConditioning> {
  static FluxSingleBlock load(FluxConfig config, boolean last, Weights block) {
    long width = config.width();
    return new FluxSingleBlock(
        config.heads(),
        last,
        WeightList.of(
            block,
            w ->
                w.linear("norm.linear", 3 * width, width)
                    .linears(width, width, "attn.to_q", "attn.to_k", "attn.to_v")
                    .tensor("attn.norm_q.weight", config.headSize())
                    .tensor("attn.norm_k.weight", config.headSize())
                    .linear("proj_mlp", 4 * width, width)
                    .linearOf("proj_out", width, width, 4 * width)));
  }

  @Override
  public Hidden forward(
      NDManager owner, Hidden x, JointConditioning c, List<Attention> attentions) {
    NDArray m = // (3, B, 1, C)
        c.step()
            .modulations()
            .get(
                this, to -> Flux.PROGRAM.call(to, "single_modulation", c.step().vector(), weights));
    try (NDManager scope = owner.newSubManager()) {
      NDList before = // (B, T + l, 3, H, D), and what the MLP reads, (B, T + l, C)
          Flux.PROGRAM.callList(
              scope,
              "single_before",
              Flux.streams(x),
              m,
              Flux.rotation(scope, x, c),
              weights,
              heads);
      NDArray attended = // (B, T + l, H, D)
          attentions.get(0).attend(scope, new Qkv(before.get(0), x.textTokens(), x.place().span()));
      Hidden kept = last ? x.with(x.image(), null) : x;
      NDList out = // (B, l, C), (B, T, C)
          Flux.PROGRAM.callList(
              owner, "single_after", Flux.streams(kept), attended, before.get(1), m, weights);
      return kept.with(out.get(0), kept.text() == null ? null : out.get(1));
    }
  }
}
