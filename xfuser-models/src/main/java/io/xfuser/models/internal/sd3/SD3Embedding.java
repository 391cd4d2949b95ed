package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Embedding;

/** A linear layer over the latents of a token, and its row of a table of positions. */
record SD3Embedding(TensorMap weights) implements Embedding<JointConditioning> {
  @Override
  public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, JointConditioning c) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray positions = Torch.slice(scope, c.places(), 0, local.from(), local.to()); // (l)
      return SD3.PROGRAM.call(owner, "embed", tokens, positions, weights); // (B, l, C)
    }
  }
}
