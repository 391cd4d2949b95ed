package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Embedding;

/**
 * A linear layer over the latents of a token.
 *
 * @param weights of {@code x_embedder} (C, c)
 */
public record StreamEmbedding(TensorMap weights) implements Embedding<JointConditioning> {
  @Override
  public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, JointConditioning c) {
    return Streams.PROGRAM.call(owner, "embed", tokens, weights); // (B, l, C)
  }
}
