package io.xfuser.models.internal.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Self-attention, cross-attention to both texts, MLP; a block of the second half first joins the
 * output of its mirror image in the first half.
 */
record HunyuanDiTBlock(int headSize, TensorMap weights) implements Block<HunyuanDiTConditioning> {
  static HunyuanDiTBlock load(HunyuanDiTConfig config, Weights block, Share share, boolean skip) {
    return new HunyuanDiTBlock(
        config.headSize(), WeightMap.of(block, share, w -> layers(config, w, skip)));
  }

  private static WeightMap layers(HunyuanDiTConfig config, WeightMap w, boolean skip) {
    int width = config.width();
    int head = config.headSize();
    Inner heads = Inner.heads(config.heads(), head);
    Inner neurons = Inner.neurons(config.mlpWidth());
    w.norm("norm1.norm", width)
        .linear("norm1.linear", width, width)
        .inward(Joined.queriesKeysValues("attn1"), heads, width)
        .norms(Joined.norms("attn1"), head)
        .outward("attn1.to_out.0", width, heads)
        .norm("norm2", width)
        .inward("attn2.to_q", heads, width)
        .norm("attn2.norm_q", head)
        .inward(Joined.keysValues("attn2"), heads, config.text().bert())
        .norm("attn2.norm_k", head)
        .outward("attn2.to_out.0", width, heads)
        .norm("norm3", width)
        .inward("ff.net.0.proj", neurons, width)
        .outward("ff.net.2", width, neurons);
    w.onGpu(HunyuanDiTBlock::biasAsNeuron);
    return skip ? w.norm("skip_norm", 2L * width).linear("skip_linear", width, 2L * width) : w;
  }

  /**
   * Adds the bias of the MLP within its product, which on CUDA adds it in a kernel of its own where
   * it is summed to what is there.
   */
  static void biasAsNeuron(NDManager owner, Map<String, NDArray> w) {
    List<String> names = List.of("ff.net.0.proj.weight", "ff.net.0.proj.bias", "ff.net.2.weight");
    NDArray bias = w.get("ff.net.2.bias"); // a later share has none
    if (bias != null && names.stream().allMatch(name -> sameType(w.get(name), bias))) {
      NDList first = new NDList(w.get(names.get(0)), w.get(names.get(1)));
      NDList second = new NDList(w.get(names.get(2)), bias);
      NDList changed = HunyuanDiT.PROGRAM.callList(owner, "bias_as_neuron", first, second);
      IntStream.range(0, 3).forEach(i -> w.put(names.get(i), changed.get(i)));
      w.remove("ff.net.2.bias");
    }
  }

  private static boolean sameType(@Nullable NDArray one, NDArray other) {
    return one != null && ElementType.of(one) == ElementType.of(other);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, HunyuanDiTConditioning c, BlockContext context) {
    NDArray textKeyValues = // (B, T, 2, H, D)
        c.textKeyValues()
            .get(this, request -> run(request, "text_key_values", c.text(), weights, headSize));
    try (NDManager scope = owner.newSubManager()) {
      NDArray skip = x.skip();
      NDArray image = // (B, l, C)
          skip == null ? x.image() : run(scope, "join_skip", x.image(), skip, weights);
      NDArray rotation = // (l, D/2, 2)
          Torch.slice(scope, c.rotation(), 0, x.place().local().from(), x.place().local().to());
      NDArray packed = // (B, l, 3, H, D)
          run(
              scope,
              "before_attention",
              image,
              c.step().of(this, HunyuanDiT.PROGRAM, "modulation"),
              weights,
              headSize);
      Qkv qkv =
          new Qkv(packed, x.place().span())
              .before(() -> run(scope, "norm_turn_", packed, rotation, weights));
      NDArray attended = context.attend(scope, 0, qkv); // (B, l, H, D)
      return x.with( // (B, l, C)
          context
              .terms(3, HunyuanDiT.PROGRAM)
              .call(owner, "after_attention", image, attended, textKeyValues, rotation, weights));
    }
  }

  private static NDArray run(NDManager owner, String function, Object... arguments) {
    return HunyuanDiT.PROGRAM.call(owner, function, arguments);
  }
}
