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

/** Joint attention of image and text, each with its own weights, and a gated MLP for each. */
record Flux2DoubleBlock(Flux2Config config, TensorMap weights) implements Block<JointConditioning> {
  static Flux2DoubleBlock load(Flux2Config config, Weights block, Share share) {
    return new Flux2DoubleBlock(
        config, WeightMap.of(block, share, w -> read(w.withoutBias(), config)));
  }

  private static WeightMap read(WeightMap w, Flux2Config config) {
    int width = config.width();
    int head = config.headSize();
    Inner heads = Inner.heads(config.heads(), head);
    Inner neurons = Inner.neurons(config.neurons());
    return w.inward(Joined.queriesKeysValues("attn"), heads, width)
        .inward(Joined.addedQueriesKeysValues("attn"), heads, width)
        .scales(Joined.norms("attn"), head)
        .scales(Joined.addedNorms("attn"), head)
        .outward("attn.to_out.0", width, heads)
        .outward("attn.to_add_out", width, heads)
        .inward("ff.linear_in", width, neurons.times(2))
        .outward("ff.linear_out", width, neurons)
        .inward("ff_context.linear_in", width, neurons.times(2))
        .outward("ff_context.linear_out", width, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray v = c.step().vector(); // (1, 16·C)
    double epsilon = config.epsilon();
    try (NDManager scope = owner.newSubManager()) {
      NDArray turns = Flux2.rotation(scope, x, c);
      NDArray packed = // (B, t + l, 3, H, D)
          Flux2.PROGRAM.call(
              scope, "double_before", x.streams(), v, weights, config.headSize(), epsilon);
      Qkv qkv =
          new Qkv(packed, x.place().text(), x.place().span())
              .before(
                  () ->
                      Flux2.PROGRAM.call(
                          scope, "double_rest", packed, x.streams(), v, turns, weights, epsilon));
      NDArray attended = context.attend(scope, 0, qkv); // (B, t + l, H, D)
      NDList out = // (B, l, C), (B, t, C)
          context
              .terms(2, Flux2.PROGRAM)
              .callList(owner, "double_after", x.streams(), attended, v, weights, epsilon);
      return x.with(out.get(0), x.text() == null ? null : out.get(1));
    }
  }
}
