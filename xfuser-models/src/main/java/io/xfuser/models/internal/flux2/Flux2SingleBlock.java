package io.xfuser.models.internal.flux2;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;

/**
 * Attention and a gated MLP side by side, with the same weights for text and image. One layer
 * begins both, and one ends both (arXiv 2302.05442).
 *
 * @param last whether the text ends here: nothing reads it after this block
 */
record Flux2SingleBlock(Flux2Config config, boolean last, TensorMap weights)
    implements Block<JointConditioning> {
  static Flux2SingleBlock load(Flux2Config config, boolean last, Weights block, Share share) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(config.neurons());
    return new Flux2SingleBlock(
        config,
        last,
        WeightMap.of(
            block,
            share,
            w ->
                w.withoutBias()
                    .inward("attn.to_qkv_mlp_proj", width, heads.times(3), neurons.times(2))
                    .scales(Joined.norms("attn"), config.headSize())
                    .outward("attn.to_out", width, heads, neurons)));
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray v = c.step().vector(); // (1, 16·C)
    double epsilon = config.epsilon();
    try (NDManager scope = owner.newSubManager()) {
      NDList before = // (B, t + l, 3, H, D), and what the MLP reads, (B, t + l, C)
          Flux2.PROGRAM.callList(
              scope, "single_before", x.streams(), v, weights, config.headSize(), epsilon);
      NDArray turns = Flux2.rotation(scope, x, c);
      Qkv qkv =
          new Qkv(before.get(0), x.place().text(), x.place().span())
              .before(
                  () ->
                      Flux2.PROGRAM.call(
                          scope, "single_rest", before.get(0), turns, weights, epsilon));
      NDArray attended = context.attend(scope, 0, qkv); // (B, t + l, H, D)
      Hidden kept = last ? x.with(x.image(), null) : x;
      NDList out = // (B, l, C), (B, t, C)
          context
              .terms(1, Flux2.PROGRAM)
              .callList(owner, "single_after", kept.streams(), attended, before.get(1), v, weights);
      return kept.with(out.get(0), kept.text() == null ? null : out.get(1));
    }
  }
}
