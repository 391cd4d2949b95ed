package io.xfuser.models.internal.cogvideox;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.joint.JointConditioning;
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
 * Joint attention of text and video, then an MLP, by layers that both have in common.
 *
 * @param last whether the text ends here
 */
record CogVideoXBlock(CogVideoXConfig config, boolean last, TensorMap weights)
    implements Block<JointConditioning> {
  static CogVideoXBlock load(CogVideoXConfig config, boolean last, Weights block, Share share) {
    return new CogVideoXBlock(config, last, WeightMap.of(block, share, w -> read(w, config)));
  }

  private static WeightMap read(WeightMap w, CogVideoXConfig config) {
    long width = config.width();
    Inner heads = config.inner();
    Inner neurons = Inner.neurons(4 * config.width());
    for (String norm : new String[] {"norm1", "norm2"}) {
      w.linear(norm + ".linear", 6 * width, config.timeWidth()).norm(norm + ".norm", width);
    }
    return w.inward(Joined.queriesKeysValues("attn1"), heads, width)
        .norms(Joined.norms("attn1"), config.headSize())
        .outward("attn1.to_out.0", width, heads)
        .inward("ff.net.0.proj", neurons, width)
        .outward("ff.net.2", width, neurons);
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray m = modulation(c); // (12, 1, 1, C)
    double epsilon = config.epsilon();
    try (NDManager scope = owner.newSubManager()) {
      NDList streams = x.streams(); // (B, l, C), (B, t, C)
      NDList rotation = new NDList(); // none or (l, D/2, 2)
      if (config.places().rotary()) {
        TokenRange local = x.place().local();
        rotation.add(Torch.slice(scope, c.places(), 0, local.from(), local.to()));
      }
      NDArray packed = // (B, t + l, 3, H, D)
          CogVideoX.PROGRAM.call(scope, "before", streams, m, weights, config.headSize(), epsilon);
      Qkv qkv =
          new Qkv(packed, x.place().text(), x.place().span())
              .before(() -> CogVideoX.PROGRAM.call(scope, "rest", packed, rotation, weights));
      NDArray attended = context.attend(scope, 0, qkv); // (B, t + l, H, D)
      NDList out =
          context
              .terms(2, CogVideoX.PROGRAM)
              .callList(
                  owner,
                  "after",
                  last ? new NDList(x.image()) : streams,
                  attended,
                  m,
                  weights,
                  epsilon);
      return x.with(out.get(0), out.size() == 1 ? null : out.get(1));
    }
  }

  private NDArray modulation(JointConditioning c) {
    return c.step().of(this, CogVideoX.PROGRAM, "modulation");
  }

  @Override
  public NDArray modulated(NDManager owner, Hidden x, JointConditioning c) {
    return CogVideoX.PROGRAM.call(owner, "modulated", x.image(), modulation(c), config.epsilon());
  }
}
