package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.adapter.TimedAdapter;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.sd3.PictureAttention.Asked;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * Joint attention of image and text, each with its own weights, and an MLP for each ({@code
 * JointTransformerBlock} in diffusers).
 *
 * @param headSize width of a head
 * @param last whether the text ends here
 * @param dual whether there is a second attention, over image tokens alone
 * @param normed whether queries and keys are
 * @param pictures how a picture that is a prompt is attended
 */
record SD3Block(
    int headSize,
    boolean last,
    boolean dual,
    boolean normed,
    TensorMap weights,
    PictureAttention pictures)
    implements Block<JointConditioning> {
  static SD3Block load(SD3 model, int index, Share share) {
    SD3Config config = model.config();
    Weights block = model.weights().at("transformer_blocks." + index + ".");
    boolean last = index == config.depth() - 1;
    boolean dual = config.dual().contains(index);
    int first = config.attentionsBefore(index);
    int attentions = config.attentions(index);
    Inner heads = Inner.heads(config.heads(), config.headSize());
    return new SD3Block(
        config.headSize(),
        last,
        dual,
        config.normed(),
        WeightMap.of(
            block,
            share,
            w -> {
              WeightMap map = read(w, config, last, dual);
              for (TimedAdapter adapter : model.adapter()) {
                map = adapter.block(map, first, first + attentions, heads);
              }
              return map;
            }),
        new PictureAttention(
            model.adapter().stream().mapToDouble(TimedAdapter::scale).sum(), attentions));
  }

  private static WeightMap read(WeightMap w, SD3Config config, boolean last, boolean dual) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(4 * width);
    w.linear("norm1.linear", (dual ? 9L : 6L) * width, width)
        .linear("norm1_context.linear", (last ? 2L : 6L) * width, width)
        .inward(Joined.queriesKeysValues("attn"), heads, width)
        .inward(Joined.addedQueriesKeysValues("attn"), heads, width)
        .outward("attn.to_out.0", width, heads)
        .inward("ff.net.0.proj", neurons, width)
        .outward("ff.net.2", width, neurons);
    if (!last) {
      w.outward("attn.to_add_out", width, heads)
          .inward("ff_context.net.0.proj", neurons, width)
          .outward("ff_context.net.2", width, neurons);
    }
    if (dual) {
      w.inward(Joined.queriesKeysValues("attn2"), heads, width)
          .outward("attn2.to_out.0", width, heads);
    }
    if (config.normed()) {
      w.scales(Joined.norms("attn"), config.headSize())
          .scales(Joined.addedNorms("attn"), config.headSize());
      if (dual) {
        w.scales(Joined.norms("attn2"), config.headSize());
      }
    }
    return w;
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = // (8, 12 or 15, B, 1, C)
        c.step().of(this, SD3.PROGRAM, "modulation");
    try (NDManager scope = owner.newSubManager()) {
      NDArray attended = // (B, t + l, H, D)
          attendJointly(scope, m, new Asked(0, x, c, context));
      List<NDArray> others = // (B, l, H, D)
          dual ? List.of(attendAgain(scope, m, new Asked(1, x, c, context))) : List.of();
      NDArray image = // (B, l, C)
          context
              .terms(2 + others.size(), SD3.PROGRAM)
              .call(owner, "after_attention", x.image(), attended, others, m, weights);
      NDArray text = x.text();
      return x.with(
          image,
          text == null || last
              ? null
              : context
                  .terms(2, SD3.PROGRAM)
                  .call(owner, "text_after_attention", text, attended, m, weights)); // (B, t, C)
    }
  }

  private NDArray attendJointly(NDManager scope, NDArray m, Asked asked) {
    Hidden x = asked.x();
    NDList streams = x.streams(); // (B, l, C), (B, t, C)
    NDArray packed = // (B, t + l, 3, H, D)
        SD3.PROGRAM.call(scope, "before_joint", streams, m, weights, headSize);
    Qkv qkv = new Qkv(packed, x.place().text(), x.place().span());
    Qkv rest =
        normed || x.place().text().total() > 0
            ? qkv.before(() -> SD3.PROGRAM.call(scope, "rest_joint", packed, streams, m, weights))
            : qkv;
    return pictures.attend(scope, asked, this, packed, rest);
  }

  private NDArray attendAgain(NDManager scope, NDArray m, Asked asked) {
    NDArray packed = // (B, l, 3, H, D)
        SD3.PROGRAM.call(scope, "before_second", asked.x().image(), m, weights, headSize);
    Qkv qkv = new Qkv(packed, asked.x().place().span());
    Qkv rest =
        normed ? qkv.before(() -> SD3.PROGRAM.call(scope, "rest_second", packed, weights)) : qkv;
    return pictures.attend(scope, asked, this, packed, rest);
  }

  @Override
  public NDArray modulated(NDManager owner, Hidden x, JointConditioning c) {
    NDArray m = c.step().of(this, SD3.PROGRAM, "modulation");
    return SD3.PROGRAM.call(owner, "modulated", x.image(), m, 1e-6);
  }
}
