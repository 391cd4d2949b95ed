package io.xfuser.models.internal.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Embedding;

/** A linear layer over the latents of a token. */
record FluxEmbedding(TensorMap weights) implements Embedding<JointConditioning> {
  @Override
  public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, JointConditioning c) {
    return Flux.PROGRAM.call(owner, "embed", tokens, weights); // (B, l, C)
  }
}
