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
import io.xfuser.transformer.Terms;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * Joint attention of image and text, each with its own weights, and an MLP for each.
 *
 * @param headSize D
 * @param modulation of both
 * @param weights those that {@link #read} reads, what the modulation is made of, and what {@link
 *     PictureAdapter#block} reads
 * @param shown how it attends pictures that are prompts
 */
public record DoubleBlock(
    int headSize, Modulation modulation, TensorMap weights, ShownAttention shown)
    implements Block<JointConditioning> {
  /** One that attends no such pictures. */
  public DoubleBlock(int headSize, Modulation modulation, TensorMap weights) {
    this(headSize, modulation, weights, ShownAttention.NONE);
  }

  /**
   * The same with {@code adapters}, of whose weights {@code share} of block {@code index} is read.
   */
  public DoubleBlock with(List<PictureAdapter> adapters, int index, Inner heads, Share share) {
    return new DoubleBlock(
        headSize, modulation, weights, ShownAttention.of(adapters, index, heads, share));
  }

  /** What such a block has but for its modulation. */
  public static WeightMap read(WeightMap w, Inner heads) {
    long width = heads.width();
    Inner neurons = Streams.neurons(heads);
    return w.inward(Joined.queriesKeysValues("attn"), heads, width)
        .inward(Joined.addedQueriesKeysValues("attn"), heads, width)
        .scales(Joined.norms("attn"), heads.size())
        .scales(Joined.addedNorms("attn"), heads.size())
        .outward("attn.to_out.0", width, heads)
        .outward("attn.to_add_out", width, heads)
        .inward("ff.net.0.proj", neurons, width)
        .outward("ff.net.2", width, neurons)
        .inward("ff_context.net.0.proj", neurons, width)
        .outward("ff_context.net.2", width, neurons);
  }

  /** What such a block has, with layers that its modulation is made of: {@link Streams#OWN}. */
  public static WeightMap readAll(WeightMap w, Inner heads) {
    long width = heads.width();
    return read(
        w.linear("norm1.linear", 6 * width, width).linear("norm1_context.linear", 6 * width, width),
        heads);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = modulation.of(c.step(), this); // (12, B or 1, 1, C)
    try (NDManager scope = owner.newSubManager()) {
      NDList streams = x.streams(); // (B, l, C), (B, t, C)
      NDArray rotation = Streams.rotation(scope, x, c);
      NDArray packed = // (B, t + l, 3, H, D)
          Streams.PROGRAM.call(scope, "double_before", streams, m, weights, headSize);
      Qkv qkv =
          new Qkv(packed, x.place().text(), c.mask(), x.place().span())
              .before(
                  () ->
                      Streams.PROGRAM.call(
                          scope, "double_rest", packed, streams, m, rotation, weights));
      NDArray pictures = shown.attended(scope, packed, text(x), c, this); // (B, l, H, D)
      NDArray attended = context.attend(scope, 0, qkv); // (B, t + l, H, D)
      Terms terms = context.terms(2, Streams.PROGRAM);
      NDList out =
          pictures == null
              ? terms.callList(owner, "double_after", streams, attended, m, weights)
              : terms.callList(
                  owner,
                  "double_after_shown",
                  streams,
                  attended,
                  pictures,
                  shown.before(),
                  m,
                  weights);
      return x.with(out.get(0), x.text() == null ? null : out.get(1));
    }
  }

  private static long text(Hidden x) {
    NDArray text = x.text();
    return text == null ? 0 : text.getShape().get(1);
  }

  @Override
  public NDArray modulated(NDManager owner, Hidden x, JointConditioning c) {
    NDArray m = modulation.of(c.step(), this); // (12, B or 1, 1, C)
    return Streams.PROGRAM.call(owner, "modulated", x.image(), m, 1e-6);
  }
}
