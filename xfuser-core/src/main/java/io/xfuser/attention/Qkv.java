package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import io.xfuser.nn.PatchSpan;

/**
 * Queries, keys and values of some tokens.
 *
 * @param packed (B, T + l, 3, H, D): queries, keys, values in one buffer, first of the text tokens,
 *     which all ranks of a patch have alike, then of this rank's image tokens
 * @param textTokens T; 0 in attention without text, and without the picture's first patch
 * @param span the patches that the image tokens belong to
 */
public record Qkv(NDArray packed, long textTokens, PatchSpan span) {
  /** Image tokens alone. */
  public Qkv(NDArray packed, PatchSpan span) {
    this(packed, 0, span);
  }

  /** H, the number of heads. */
  public long heads() {
    return packed.getShape().get(3);
  }

  /** T + l. */
  public long tokens() {
    return packed.getShape().get(1);
  }
}
