package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import io.xfuser.nn.PatchSpan;
import io.xfuser.nn.TokenRange;

/**
 * What blocks pass on.
 *
 * @param image this rank's image tokens of the span, (B, l, C)
 * @param local where they lie within all tokens that this rank owns
 * @param span the patches they belong to
 */
public record Hidden(NDArray image, TokenRange local, PatchSpan span) {
  /** The same place with other values. */
  public Hidden with(NDArray newImage) {
    return new Hidden(newImage, local, span);
  }
}
