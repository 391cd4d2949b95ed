package io.xfuser.models.video;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;

/** Attention of text and video, but for the padding of each text, and an MLP for both. */
record VideoBlock(TensorMap weights) implements Block<VideoConditioning> {
  @Override
  public Hidden forward(NDManager owner, Hidden x, VideoConditioning c, BlockContext context) {
    NDArray text = x.text();
    NDList streams = text == null ? new NDList(x.image()) : new NDList(x.image(), text);
    try (NDManager scope = owner.newSubManager()) {
      NDArray packed = // (B, T + l, 3, H, D)
          VideoDiT.PROGRAM.call(scope, "before", streams, c.time(), weights, VideoDiT.HEAD_SIZE);
      NDArray attended = // (B, T + l, H, D)
          context.attend(scope, 0, new Qkv(packed, x.place().text(), c.mask(), x.place().span()));
      NDList out = // (B, l, C), (B, T, C)
          context
              .terms(2, VideoDiT.PROGRAM)
              .callList(owner, "after", streams, attended, c.time(), weights);
      return x.with(out.get(0), text == null ? null : out.get(1));
    }
  }
}
