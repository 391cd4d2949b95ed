package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import io.xfuser.nn.PatchSpan;

/**
 * Queries, keys and values of some tokens.
 *
 * @param packed (B, l, 3, H, D): queries, keys, values of this rank's l tokens in one buffer
 * @param span the patches that these tokens belong to
 */
public record Qkv(NDArray packed, PatchSpan span) {
  /** H, the number of heads. */
  public long heads() {
    return packed.getShape().get(3);
  }
}
