package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * Self-attention over the whole sequence: the one place where tokens of different ranks, and of
 * different steps, meet. An instance belongs to one block of one request on one rank.
 */
@FunctionalInterface
public interface Attention {
  /** The attended values (B, t + l, H, D) of the queries in {@code qkv}, in their order. */
  NDArray attend(NDManager owner, Qkv qkv);

  /** Bytes of keys and values kept between calls. */
  default long bufferBytes() {
    return 0;
  }
}
