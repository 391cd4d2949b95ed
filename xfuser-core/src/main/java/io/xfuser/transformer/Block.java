package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * One transformer block: its weights and its mathematics. Immutable, and shared by all ranks of a
 * process; what belongs to a request is in the conditioning and in the attention.
 *
 * @param <C> the model's conditioning
 */
public interface Block<C> extends Part {
  /**
   * The tokens after this block, owned by {@code owner}. Text tokens are null where there were
   * none, and where no later part reads them.
   *
   * @param context attends over the whole sequence, and adds to the tokens what the block computes
   */
  Hidden forward(NDManager owner, Hidden x, C conditioning, BlockContext context);

  /**
   * The image tokens (B, l, C) as this block's first layer reads them: normed, and modulated by the
   * step. Asked of the first block, where {@link TransformerSpec#modulates} says so; TeaCache
   * compares them.
   */
  default NDArray modulated(NDManager owner, Hidden x, C conditioning) {
    throw new UnsupportedOperationException("these blocks are not modulated");
  }
}
