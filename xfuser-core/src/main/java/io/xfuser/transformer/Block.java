package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;

/**
 * One transformer block: its weights and its mathematics. Immutable, and shared by all ranks of a
 * process; what belongs to a request is in the conditioning and in the attention.
 *
 * @param <C> the model's conditioning
 */
public interface Block<C> extends AutoCloseable {
  /** The image tokens (B, l, C) after this block. */
  NDArray forward(NDManager owner, Hidden x, C conditioning, Attention attention);

  /** Bytes of its weights. */
  long parameterBytes();

  @Override
  void close();
}
