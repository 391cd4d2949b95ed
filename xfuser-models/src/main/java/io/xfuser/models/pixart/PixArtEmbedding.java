package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Embedding;

/** A linear layer over the latents of a token, and its position embedding. */
record PixArtEmbedding(TensorList weights) implements Embedding<PixArtConditioning> {
  @Override
  public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, PixArtConditioning c) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray positions = Torch.slice(scope, c.positions(), 0, local.from(), local.to()); // (l, C)
      return PixArt.PROGRAM.call(owner, "embed", tokens, positions, weights); // (B, l, C)
    }
  }
}
