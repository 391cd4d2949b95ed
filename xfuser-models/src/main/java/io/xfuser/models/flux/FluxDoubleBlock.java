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

/** Joint attention of image and text, each with its own weights, and an MLP for each. */
record FluxDoubleBlock(int heads, TensorList weights) implements Block<JointConditioning> {
  static FluxDoubleBlock load(FluxConfig config, Weights block) {
    return new FluxDoubleBlock(
        config.heads(),
        WeightList.of(
            block,
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
    long width = config.width();
    List<String> full = names.stream().map("attn."::concat).toList();
    return w.linears(width, width, full.get(0), full.get(1), full.get(2))
        .tensor(full.get(3) + "q.weight", config.headSize())
        .tensor(full.get(3) + "k.weight", config.headSize())
        .linear(full.get(4), width, width)
        .linear(ff + ".net.0.proj", 4 * width, width)
        .linear(ff + ".net.2", width, 4 * width);
  }

  @Override
  public Hidden forward(
      NDManager owner, Hidden x, JointConditioning c, List<Attention> attentions) {
    NDArray m = // (12, B, 1, C)
        c.step()
            .modulations()
            .get(
                this, to -> Flux.PROGRAM.call(to, "double_modulation", c.step().vector(), weights));
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> streams = Flux.streams(x); // (B, l, C), (B, T, C)
      NDArray packed = // (B, T + l, 3, H, D)
          Flux.PROGRAM.call(
              scope, "double_before", streams, m, Flux.rotation(scope, x, c), weights, heads);
      NDArray attended = // (B, T + l, H, D)
          attentions.get(0).attend(scope, new Qkv(packed, x.textTokens(), x.place().span()));
      NDList out = Flux.PROGRAM.callList(owner, "double_after", streams, attended, m, weights);
      return x.with(out.get(0), x.text() == null ? null : out.get(1));
    }
  }
}
