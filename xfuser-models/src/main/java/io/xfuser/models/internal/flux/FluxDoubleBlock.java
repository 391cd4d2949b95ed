package io.xfuser.models.internal.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
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

/** Joint attention of image and text, each with its own weights, and an MLP for each. */
record FluxDoubleBlock(int headSize, TensorList weights) implements Block<JointConditioning> {
  static FluxDoubleBlock load(FluxConfig config, Weights block, Share share) {
    return new FluxDoubleBlock(
        config.headSize(),
        WeightList.of(
            block,
            share,
            w -> {
              w.linear("norm1.linear", 6L * config.width(), config.width())
                  .linear("norm1_context.linear", 6L * config.width(), config.width());
              stream(w, config, List.of("to_q", "to_k", "to_v", "norm_", "to_out.0"), "ff");
              return stream(
                  w,
                  config,
                  List.of("add_q_proj", "add_k_proj", "add_v_proj", "norm_added_", "to_add_out"),
                  "ff_context");
            }));
  }

  private static WeightList stream(WeightList w, FluxConfig config, List<String> names, String ff) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(4 * width);
    List<String> full = names.stream().map("attn."::concat).toList();
    return w.inward(heads, width, full.get(0), full.get(1), full.get(2))
        .tensor(full.get(3) + "q.weight", config.headSize())
        .tensor(full.get(3) + "k.weight", config.headSize())
        .outward(full.get(4), width, heads)
        .inward(neurons, width, ff + ".net.0.proj")
        .outward(ff + ".net.2", width, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = c.step().modulation(this, Flux.PROGRAM, "double_modulation"); // (12, B, 1, C)
    try (NDManager scope = owner.newSubManager()) {
      NDList streams = Flux.streams(x); // (B, l, C), (B, T, C)
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
