package io.xfuser.models.internal.flux;

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
 * Attention and MLP side by side, with the same weights for text and image.
 *
 * @param last whether the text ends here: nothing reads it after this block
 */
record FluxSingleBlock(int headSize, boolean last, TensorMap weights)
    implements Block<JointConditioning> {
  static FluxSingleBlock load(FluxConfig config, boolean last, Weights block, Share share) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(4 * width);
    return new FluxSingleBlock(
        config.headSize(),
        last,
        WeightMap.of(
            block,
            share,
            w ->
                w.linear("norm.linear", 3L * width, width)
                    .inward(Joined.queriesKeysValues("attn"), heads, width)
                    .scales(Joined.norms("attn"), config.headSize())
                    .inward("proj_mlp", neurons, width)
                    .outward("proj_out", width, heads, neurons)));
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = c.step().of(this, Flux.PROGRAM, "single_modulation"); // (3, B, 1, C)
    try (NDManager scope = owner.newSubManager()) {
      NDList before = // (B, T + l, 3, H, D), and what the MLP reads, (B, T + l, C)
          Flux.PROGRAM.callList(
              scope,
              "single_before",
              x.streams(),
              m,
              Flux.rotation(scope, x, c),
              weights,
              headSize);
      NDArray attended = // (B, T + l, H, D)
          context.attend(scope, 0, new Qkv(before.get(0), x.textTokens(), x.place().span()));
      Hidden kept = last ? x.with(x.image(), null) : x;
      NDList out = // (B, l, C), (B, T, C)
          context
              .terms(1, Flux.PROGRAM)
              .callList(owner, "single_after", kept.streams(), attended, before.get(1), m, weights);
      return kept.with(out.get(0), kept.text() == null ? null : out.get(1));
    }
  }
}
