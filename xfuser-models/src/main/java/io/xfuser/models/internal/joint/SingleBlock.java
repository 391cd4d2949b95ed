package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;

/**
 * Attention and MLP side by side, with the same weights for text and image.
 *
 * @param headSize D
 * @param last whether the text ends here: nothing reads it after this block
 * @param modulation of both streams
 * @param weights those that {@link #read} reads, and what the modulation is made of
 */
public record SingleBlock(int headSize, boolean last, Modulation modulation, TensorMap weights)
    implements Block<JointConditioning> {
  /** What such a block has but for its modulation. */
  public static WeightMap read(WeightMap w, Inner heads) {
    long width = heads.width();
    Inner neurons = Streams.neurons(heads);
    return w.scales(Joined.norms("attn"), heads.size())
        .inward(Joined.queriesKeysValues("attn"), heads, width)
        .inward("proj_mlp", neurons, width)
        .outward("proj_out", width, heads, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = modulation.of(c.step(), this); // (3, B or 1, 1, C)
    try (NDManager scope = owner.newSubManager()) {
      NDArray rotation = Streams.rotation(scope, x, c);
      NDList before = // (B, t + l, 3, H, D), and what the MLP reads, (B, t + l, C)
          Streams.PROGRAM.callList(scope, "single_before", x.streams(), m, weights, headSize);
      Qkv qkv =
          new Qkv(before.get(0), x.place().text(), c.mask(), x.place().span())
              .before(
                  () ->
                      Streams.PROGRAM.call(scope, "single_rest", before.get(0), rotation, weights));
      NDArray attended = context.attend(scope, 0, qkv); // (B, t + l, H, D)
      Hidden kept = last ? x.with(x.image(), null) : x;
      NDList out = // (B, l, C), (B, t, C)
          context
              .terms(1, Streams.PROGRAM)
              .callList(owner, "single_after", kept.streams(), attended, before.get(1), m, weights);
      return kept.with(out.get(0), kept.text() == null ? null : out.get(1));
    }
  }
}
