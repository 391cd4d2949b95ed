package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Weights;
import java.util.List;

/**
 * Self-attention, cross-attention to the caption, MLP; adaLN-single shares the timestep's
 * projection.
 */
final class PixArtBlock implements Block<PixArtConditioning> {
  private final int heads;
  private final TensorList weights;

  private PixArtBlock(int heads, TensorList weights) {
    this.heads = heads;
    this.weights = weights;
  }

  static PixArtBlock load(PixArtConfig config, Weights w) {
    long width = config.width();
    try (NDManager scope = Torch.newManager()) {
      Loader load = new Loader(scope, w, width);
      return new PixArtBlock(
          config.heads(),
          TensorList.of(
              w.get(scope, "scale_shift_table", 6, width),
              load.rows("weight", "attn1.to_q", "attn1.to_k", "attn1.to_v"),
              load.rows("bias", "attn1.to_q", "attn1.to_k", "attn1.to_v"),
              load.rows("weight", "attn1.to_out.0"),
              load.rows("bias", "attn1.to_out.0"),
              load.rows("weight", "attn2.to_q"),
              load.rows("bias", "attn2.to_q"),
              load.rows("weight", "attn2.to_k", "attn2.to_v"),
              load.rows("bias", "attn2.to_k", "attn2.to_v"),
              load.rows("weight", "attn2.to_out.0"),
              load.rows("bias", "attn2.to_out.0"),
              w.get(scope, "ff.net.0.proj.weight", 4 * width, width),
              w.get(scope, "ff.net.0.proj.bias", 4 * width),
              w.get(scope, "ff.net.2.weight", width, 4 * width),
              w.get(scope, "ff.net.2.bias", width)));
    }
  }

  @Override
  public NDArray forward(NDManager owner, Hidden x, PixArtConditioning c, Attention attention) {
    NDArray t = c.step(); // (6, C)
    NDArray textKeyValues = // (B, T, 2, H, D)
        c.textKeyValues(
            this,
            text -> PixArt.PROGRAM.call(c.request(), "text_key_values", text, weights, heads));
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = // (B, l, 3, H, D)
          PixArt.PROGRAM.call(
              scope, "before_attention", x.image(), t, weights, heads, PixArtConfig.EPSILON);
      NDArray attended = attention.attend(scope, new Qkv(packed, x.span())); // (B, l, H, D)
      return PixArt.PROGRAM.call( // (B, l, C)
          owner,
          "after_attention",
          x.image(),
          attended,
          t,
          textKeyValues,
          c.textMask(),
          weights,
          PixArtConfig.EPSILON);
    }
  }

  @Override
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }

  /** Reads square projections, those given together joined by rows. */
  private record Loader(NDManager scope, Weights weights, long width) {
    NDArray rows(String kind, String... layers) {
      long[] shape = kind.equals("weight") ? new long[] {width, width} : new long[] {width};
      List<NDArray> parts =
          List.of(layers).stream()
              .map(layer -> weights.get(scope, layer + "." + kind, shape))
              .toList();
      return parts.size() == 1 ? parts.get(0) : Torch.concat(scope, parts, 0);
    }
  }
}
