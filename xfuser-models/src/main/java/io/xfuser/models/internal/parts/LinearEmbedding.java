package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Embedding;

/**
 * A linear layer over the latents of a token, without positions.
 *
 * @param program whose {@code embed} makes hidden states (B, l, C) of tokens (B, l, c)
 * @param weights that it takes
 * @param <C> the model's conditioning
 */
public record LinearEmbedding<C>(Program program, TensorMap weights) implements Embedding<C> {
  @Override
  public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, C conditioning) {
    return program.call(owner, "embed", tokens, weights);
  }
}
