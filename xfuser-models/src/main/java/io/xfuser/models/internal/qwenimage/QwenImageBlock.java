package io.xfuser.models.internal.qwenimage;

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
import java.util.Objects;

/** Joint attention of image and text, both of which have places, and an MLP for each. */
record QwenImageBlock(int headSize, TensorMap weights) implements Block<JointConditioning> {
  static QwenImageBlock load(QwenImageConfig config, Weights block, Share share) {
    return new QwenImageBlock(config.headSize(), WeightMap.of(block, share, w -> read(w, config)));
  }

  private static WeightMap read(WeightMap map, QwenImageConfig config) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(4 * width);
    WeightMap w =
        map.inward(Joined.queriesKeysValues("attn"), heads, width)
            .inward(Joined.addedQueriesKeysValues("attn"), heads, width)
            .scales(Joined.norms("attn"), config.headSize())
            .scales(Joined.addedNorms("attn"), config.headSize())
            .outward("attn.to_out.0", width, heads)
            .outward("attn.to_add_out", width, heads);
    for (String stream : new String[] {"img", "txt"}) {
      w.linear(stream + "_mod.1", 6L * width, width)
          .inward(stream + "_mlp.net.0.proj", neurons, width)
          .outward(stream + "_mlp.net.2", width, neurons);
    }
    return w;
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, JointConditioning c, BlockContext context) {
    NDArray all = c.step().of(this, QwenImage.PROGRAM, "modulation"); // (12, B, 1, C)
    TokenRange local = x.place().local();
    try (NDManager scope = owner.newSubManager()) {
      NDArray rows = c.rows(); // (l)
      NDList which =
          rows == null
              ? new NDList()
              : new NDList(Torch.slice(scope, rows, 0, local.from(), local.to()));
      NDList m = QwenImage.PROGRAM.callList(scope, "by_token", all, which);
      NDList streams = new NDList(x.image()); // (B, l, C), (B, t, C)
      NDArray own = // (l, D/2, 2)
          Torch.slice(scope, c.places(), 0, local.from(), local.to());
      TokenRange spoken = x.place().text().own();
      NDArray ofText = Objects.requireNonNull(c.textPlaces()); // (T, D/2, 2)
      NDList rotation = new NDList(own, Torch.slice(scope, ofText, 0, spoken.from(), spoken.to()));
      if (x.text() != null) {
        streams.add(x.text());
      }
      NDArray packed = // (B, t + l, 3, H, D)
          QwenImage.PROGRAM.call(scope, "before", streams, m, weights, headSize);
      Qkv qkv =
          new Qkv(packed, x.place().text(), c.mask(), x.place().span())
              .before(
                  () ->
                      QwenImage.PROGRAM.call(scope, "rest", packed, streams, m, rotation, weights));
      NDArray attended = context.attend(scope, 0, qkv); // (B, t + l, H, D)
      NDList out =
          context
              .terms(2, QwenImage.PROGRAM)
              .callList(owner, "after", streams, attended, m, weights);
      return x.with(out.get(0), x.text() == null ? null : out.get(1));
    }
  }
}
