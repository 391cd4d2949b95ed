package io.xfuser.models.internal.zimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;

/**
 * Attention and an MLP with the same weights for text and image. What either makes is normed before
 * it is gated and added, so shares of a block add up what they make before that.
 *
 * @param config the transformer's dimensions
 * @param refines whether the block is without captions
 */
record ZImageBlock(ZImageConfig config, boolean refines, TensorMap weights)
    implements Block<ZImageConditioning> {
  static ZImageBlock load(ZImageConfig config, boolean refines, Weights block, Share share) {
    return new ZImageBlock(
        config,
        refines,
        WeightMap.of(
            block,
            share,
            w -> {
              w.linear("adaLN_modulation.0", 4L * config.width(), config.timeWidth());
              return read(w, config);
            }));
  }

  /** What the blocks have that refine the text, too. */
  static WeightMap read(WeightMap map, ZImageConfig config) {
    long width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(config.neurons());
    WeightMap w = map.withoutBias();
    for (String norm : new String[] {"attention_norm", "ffn_norm"}) {
      w.norm(norm + 1, width).norm(norm + 2, width);
    }
    return w.inward(Joined.queriesKeysValues("attention"), heads, width)
        .scales(Joined.norms("attention"), config.headSize())
        .outward("attention.to_out.0", width, heads)
        .inward(Joined.under("feed_forward", "w13", "w1", "w3"), neurons, width)
        .outward("feed_forward.w2", width, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, ZImageConditioning c, BlockContext context) {
    NDArray m = c.step().of(this, ZImage.PROGRAM, "modulation"); // (4, 1, C)
    TextTokens text = x.place().text();
    if (refines) {
      text = text.without(Math.toIntExact(Math.min(c.captionTokens(), text.all())));
    }
    long out = text.skippedHere();
    double epsilon = config.epsilon();
    try (NDManager scope = owner.newSubManager()) {
      NDList tokens = x.streams(); // (B, l, C), (B, t, C)
      NDList rotation = rotation(scope, x, c);
      NDList before = // (B, t - out + l, 3, H, D), and what that is made of, (B, t - out + l, C)
          ZImage.PROGRAM.callList(
              scope, "before", tokens, out, m, weights, config.headSize(), epsilon);
      NDArray mask = refines ? null : c.mask();
      Qkv qkv =
          new Qkv(before.get(0), text, mask, x.place().span())
              .before(
                  () ->
                      ZImage.PROGRAM.call(
                          scope, "rest", before.get(0), tokens, out, rotation, weights));
      NDArray attended = context.attend(scope, 0, qkv); // (B, t - out + l, H, D)
      NDArray added =
          summed(scope, context, ZImage.PROGRAM.call(scope, "attended", attended, weights));
      NDList middle =
          ZImage.PROGRAM.callList(scope, "middle", before.get(1), added, m, weights, epsilon);
      NDArray more = summed(scope, context, middle.get(1));
      NDList after =
          ZImage.PROGRAM.callList(
              owner, "after", tokens, out, middle.get(0), more, m, weights, epsilon);
      return x.with(after.get(0), after.size() == 1 ? null : after.get(1));
    }
  }

  private static NDArray summed(NDManager scope, BlockContext context, NDArray part) {
    return context.share().isWhole() ? part : context.sum().of(scope, part);
  }

  /**
   * Cosines and sines (B, l, D/2, 2) of the image tokens of {@code x}, (B, t, D/2, 2) of its text.
   */
  private static NDList rotation(NDManager owner, Hidden x, ZImageConditioning c) {
    TokenRange local = x.place().local();
    TokenRange spoken = x.place().text().own();
    return new NDList(
        Torch.slice(owner, c.rotation(), 1, local.from(), local.to()),
        Torch.slice(owner, c.textRotation(), 1, spoken.from(), spoken.to()));
  }
}
