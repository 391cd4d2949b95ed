package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;

/**
 * Noisy tokens to hidden states.
 *
 * @param <C> the model's conditioning
 */
public interface Embedding<C> extends Part {
  /**
   * Embeds.
   *
   * @param tokens (B, l, c)
   * @param local where they lie within all tokens that this rank owns
   * @return (B, l, C), contiguous
   */
  NDArray embed(NDManager owner, NDArray tokens, TokenRange local, C conditioning);
}
