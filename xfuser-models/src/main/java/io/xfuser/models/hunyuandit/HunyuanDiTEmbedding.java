package io.xfuser.models.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Embedding;

/** A linear layer over the latents of a token; where a token lies, queries and keys tell. */
record HunyuanDiTEmbedding(TensorList weights) implements Embedding<HunyuanDiTConditioning> {
  @Override
  public NDArray embed(
      NDManager owner, NDArray tokens, TokenRange local, HunyuanDiTConditioning c) {
    return HunyuanDiT.PROGRAM.call(owner, "embed", tokens, weights); // (B, l, C)
  }
}
