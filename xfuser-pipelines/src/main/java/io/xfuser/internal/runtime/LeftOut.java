package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;

/**
 * A block that lets everything pass.
 *
 * @param block in whose place it is
 */
record LeftOut<C>(Block<C> block) implements Block<C> {
  @Override
  public Hidden forward(NDManager owner, Hidden x, C conditioning, BlockContext context) {
    NDArray text = x.text();
    return x.with(Torch.alias(owner, x.image()), text == null ? null : Torch.alias(owner, text));
  }

  @Override
  public TensorMap weights() {
    return block.weights();
  }
}
