package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.parts.HeadNorms;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;

/**
 * Self-attention, attention to the text and to a picture, MLP. Queries and keys are normed over all
 * heads.
 */
record WanBlock(WanConfig config, TensorMap weights) implements Block<WanConditioning> {
  // the norms by their numbers in the program
  private static final int SELF = 0;
  private static final int TEXT_QUERIES = 1;
  private static final int TEXT_KEYS = 2;
  private static final int PICTURE_KEYS = 3;

  static WanBlock load(WanConfig config, Weights block, Weights exact, Share share) {
    return new WanBlock(config, WeightMap.of(block, share, w -> read(w, exact, config)));
  }

  private static WeightMap read(WeightMap w, Weights exact, WanConfig config) {
    long width = config.width();
    Inner heads = config.inner();
    Inner neurons = Inner.neurons(config.neurons());
    w.inward(Joined.queriesKeysValues("attn1"), heads, width)
        .innerScales(Joined.norms("attn1"), heads)
        .outward("attn1.to_out.0", width, heads)
        .inward("attn2.to_q", heads, width)
        .inward(Joined.keysValues("attn2"), heads, width)
        .innerScales("attn2.norm_q", heads)
        .innerScales("attn2.norm_k", heads)
        .outward("attn2.to_out.0", width, heads)
        .inward("ffn.net.0.proj", neurons, width)
        .outward("ffn.net.2", width, neurons);
    if (config.seesPictures()) {
      w.inward(Joined.addedKeysValues("attn2"), heads, width)
          .innerScales("attn2.norm_added_k", heads);
    }
    WeightMap exactly = w.reading(exact).tensor("scale_shift_table", 1, 6, width);
    return config.textNorm() ? exactly.norm("norm2", width) : exactly;
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, WanConditioning c, BlockContext context) {
    NDArray m = modulation(c); // (6, 1, 1, C)
    NDArray text = // (B, I + T, 2, H, D)
        c.kept().get(this, request -> textKeysValues(request, c, context));
    double epsilon = config.epsilon();
    int still = c.now().still(x.place().local());
    try (NDManager scope = owner.newSubManager()) {
      NDArray attended = // (B, l, H, D)
          context.attend(scope, 0, new Qkv(packed(scope, x, c, context), x.place().span()));
      NDArray after = // (B, l, C)
          context
              .terms(1, Wan.PROGRAM)
              .call(scope, "after_attention", x.image(), attended, m, still, weights);
      NDArray queries = // (B, l, 1, H, D)
          normed(
              scope,
              context,
              Wan.PROGRAM.call(scope, "text_queries", after, weights, config.headSize(), epsilon),
              TEXT_QUERIES);
      return x.with(
          context
              .terms(2, Wan.PROGRAM)
              .call(
                  owner, "after_text", after, queries, text, c.seen(), m, still, weights, epsilon));
    }
  }

  /** Queries, keys and values of self-attention, (B, l, 3, H, D). */
  private NDArray packed(NDManager scope, Hidden x, WanConditioning c, BlockContext context) {
    TokenRange local = x.place().local();
    NDArray turns = Torch.slice(scope, c.rotation(), 0, local.from(), local.to()); // (l, D/2, 2)
    NDArray projected =
        Wan.PROGRAM.call(
            scope,
            "project",
            x.image(),
            modulation(c),
            c.now().still(local),
            weights,
            config.headSize(),
            config.epsilon());
    return normed(scope, context, projected, SELF, turns);
  }

  private NDArray textKeysValues(NDManager request, WanConditioning c, BlockContext context) {
    NDArray picture = c.picture();
    if (picture == null) {
      return keysValues(request, "keys_values", c.text(), context, TEXT_KEYS);
    }
    try (NDManager scope = request.newSubManager()) {
      NDArray text = keysValues(scope, "keys_values", c.text(), context, TEXT_KEYS);
      NDArray seen = keysValues(scope, "added_keys_values", picture, context, PICTURE_KEYS);
      return Wan.PROGRAM.call(request, "beside", seen, text);
    }
  }

  private NDArray keysValues(
      NDManager owner, String function, NDArray tokens, BlockContext context, int norm) {
    NDArray both = Wan.PROGRAM.call(owner, function, tokens, weights, config.headSize());
    return normed(owner, context, both, norm);
  }

  private NDArray normed(
      NDManager owner, BlockContext context, NDArray x, int norm, NDArray... rotation) {
    return new HeadNorms(Wan.PROGRAM, weights)
        .apply(owner, context, x, norm, config.width(), config.epsilon(), new NDList(rotation));
  }

  private NDArray modulation(WanConditioning c) {
    return c.now().of(this, Wan.PROGRAM, "modulation");
  }

  @Override
  public NDArray modulated(NDManager owner, Hidden x, WanConditioning c) {
    int still = c.now().still(x.place().local());
    return Wan.PROGRAM.call(owner, "modulated", x.image(), modulation(c), still, config.epsilon());
  }
}
