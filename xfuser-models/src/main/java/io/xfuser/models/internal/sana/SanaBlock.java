package io.xfuser.models.internal.sana;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.HeadNorms;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.BlockContext.Stretch;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Linear attention, attention to the text, and an MLP whose neurons look at those of the eight
 * neighbours of a token.
 */
record SanaBlock(SanaConfig config, TensorMap weights) implements Block<SanaConditioning> {
  private static final int KERNEL = 9;

  // the norms by their numbers in the program
  private static final int LINEAR = 0;
  private static final int TEXT_QUERIES = 1;
  private static final int TEXT_KEYS = 2;

  static SanaBlock load(SanaConfig config, Weights block, Share share) {
    return new SanaBlock(config, WeightMap.of(new SanaWeights(block), share, w -> read(w, config)));
  }

  private static WeightMap read(WeightMap w, SanaConfig config) {
    long width = config.width();
    Inner neurons = Inner.neurons(config.neurons());
    WeightMap attention = config.biased() ? w : w.withoutBias();
    attention.inward(Joined.queriesKeysValues("attn1"), config.inner(), width);
    if (config.normed()) {
      w.innerScales(Joined.norms("attn1"), config.inner())
          .innerScales("attn2.norm_q", config.textInner())
          .innerScales("attn2.norm_k", config.textInner());
    }
    w.tensor("scale_shift_table", 6, width)
        .outward("attn1.to_out.0", width, config.inner())
        .inward("attn2.to_q", config.textInner(), width)
        .inward(Joined.keysValues("attn2"), config.textInner(), width)
        .outward("attn2.to_out.0", width, config.textInner())
        .inward("ff.conv_inverted", width, neurons.times(2))
        .plain()
        .inward("ff.conv_depth", KERNEL, neurons.times(2));
    return w.withoutBias().outward("ff.conv_point", width, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, SanaConditioning c, BlockContext context) {
    NDArray m = c.now().modulations().of(this, Sana.PROGRAM, "modulation"); // (6, 1, 1, C)
    PatchSpan span = x.place().span();
    NDArray text = // (B, T, 2, H', D')
        c.kept().get(this, request -> textKeysValues(request, c, context));
    try (NDManager scope = owner.newSubManager()) {
      NDArray attended = attended(scope, x, m, context); // (B, l, C)
      NDArray q =
          Sana.PROGRAM.call(scope, "text_queries", attended, weights, config.textHeadSize());
      NDArray queries = normed(scope, context, q, TEXT_QUERIES); // (B, l, 1, H', D')
      NDArray looked = // (B, l, C)
          context
              .terms(1, Sana.PROGRAM)
              .call(scope, "after_text", attended, queries, text, c.mask(), weights);
      List<Stretch> stretches = context.around(scope, 0, span, looked, c.columns() + 1);
      List<NDArray> tokens = stretches.stream().map(Stretch::tokens).toList();
      long[] bounds = // of each: the first one's position, and which are to be computed
          stretches.stream()
              .flatMapToLong(s -> LongStream.of(s.first(), s.own().from(), s.own().to()))
              .toArray();
      return x.with(
          context
              .terms(1, Sana.PROGRAM)
              .call(owner, "after_mlp", looked, tokens, bounds, c.columns(), m, weights));
    }
  }

  /** The tokens after linear attention (B, l, C). */
  private NDArray attended(NDManager scope, Hidden x, NDArray m, BlockContext context) {
    NDArray projected = // (B, l, 3, H, D)
        Sana.PROGRAM.call(scope, "project", x.image(), m, weights, config.headSize());
    NDArray packed = normed(scope, context, projected, LINEAR);
    NDArray sums = // (B, H, D + 1, D)
        context.sumOverTokens(
            scope,
            0,
            x.place().span(),
            (to, part) -> Sana.PROGRAM.call(to, "sums", packed, part.from(), part.to()));
    return context
        .terms(1, Sana.PROGRAM)
        .call(scope, "after_attention", x.image(), packed, sums, m, weights);
  }

  private NDArray textKeysValues(NDManager request, SanaConditioning c, BlockContext context) {
    int head = config.textHeadSize();
    NDArray kv = Sana.PROGRAM.call(request, "text_keys_values", c.text(), weights, head);
    return normed(request, context, kv, TEXT_KEYS);
  }

  /**
   * {@code x} (B, l, n, H, D), the first ones of n normed by {@code norm}; as it is where the model
   * has no norms.
   */
  private NDArray normed(NDManager owner, BlockContext context, NDArray x, int norm) {
    if (!config.normed()) {
      return x;
    }
    long width = norm == LINEAR ? config.width() : config.textInner().width();
    return new HeadNorms(Sana.PROGRAM, weights).apply(owner, context, x, norm, width);
  }
}
