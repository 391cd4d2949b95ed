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

/** Joint attention of image and text, each with its own weights, and an MLP for each. */
record FluxDoubleBlock(int headSize, TensorMap weights) implements Block<JointConditioning> {
  static FluxDoubleBlock load(FluxConfig config, Weights block, Share share) {
    return new FluxDoubleBlock(config.headSize(), WeightMap.of(block, share, w -> read(w, config)));
  }

  private static WeightMap read(WeightMap w, FluxConfig config) {
    int width = config.width();
    int head = config.headSize();
    Inner heads = Inner.heads(config.heads(), head);
    Inner neurons = Inner.neurons(4 * width);
    return w.linear("norm1.linear", 6L * width, width)
        .linear("norm1_context.linear", 6L * width, width)
        .inward(Joined.queriesKeysValues("attn"), heads, width)
        .inward(Joined.addedQueriesKeysValues("attn"), heads, width)
        .scales(Joined.norms("attn"), head)
        .scales(Joined.addedNorms("attn"), head)
        .outward("attn.to_out.0", width, heads)
        .outward("attn.to_add_out", width, heads)
        .inward("ff.net.0.proj", neurons, width)
        .outward("ff.net.2", width, neurons)
        .inward("ff_context.net.0.proj", neurons, width)
        .outward("ff_context.net.2", width, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = c.step().of(this, Flux.PROGRAM, "double_modulation"); // (12, B, 1, C)
    try (NDManager scope = owner.newSubManager()) {
      NDList streams = x.streams(); // (B, l, C), (B, T, C)
      NDArray packed = // (B, T + l, 3, H, D)
          Flux.PROGRAM.call(
              scope, "double_before", streams, m, Flux.rotation(scope, x, c), weights, headSize);
      NDArray attended = // (B, T + l, H, D)
          context.attend(scope, 0, new Qkv(packed, x.textTokens(), x.place().span()));
      NDList out =
          context
              .terms(2, Flux.PROGRAM)
              .callList(owner, "double_after", streams, attended, m, weights);
      return x.with(out.get(0), x.text() == null ? null : out.get(1));
    }
  }
}
