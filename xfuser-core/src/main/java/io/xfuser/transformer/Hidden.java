package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.nn.TokenRange;
import org.jspecify.annotations.Nullable;

/**
 * What blocks pass on.
 *
 * @param image this rank's image tokens of the span, (B, l, C)
 * @param text the text tokens of a joint transformer that are here, (B, t, C); null where none is:
 *     the model has none, or these are not tokens of the picture's first patch, with which text
 *     goes, or there are more ranks than text tokens
 * @param skip the output (B, l, C) of the block that {@link TransformerSpec#skipFrom} names; null
 *     for other blocks
 * @param place where the image tokens lie
 */
public record Hidden(NDArray image, @Nullable NDArray text, @Nullable NDArray skip, Place place) {
  /** Image tokens alone. */
  public Hidden(NDArray image, Place place) {
    this(image, null, null, place);
  }

  /** The same place with other image tokens, the same text, no skip. */
  public Hidden with(NDArray newImage) {
    return with(newImage, text);
  }

  /** The same place with other values, no skip. */
  public Hidden with(NDArray newImage, @Nullable NDArray newText) {
    return new Hidden(newImage, newText, null, place);
  }

  /** The same values with a skip. */
  public Hidden withSkip(NDArray newSkip) {
    return new Hidden(image, text, newSkip, place);
  }

  /** The image's hidden states and, where there are any, the text's after them. */
  public NDList streams() {
    return text == null ? new NDList(image) : new NDList(image, text);
  }

  /**
   * Where tokens lie.
   *
   * @param local within all tokens that this rank owns
   * @param span the patches they belong to
   * @param text which text tokens go with them
   */
  public record Place(TokenRange local, PatchSpan span, TextTokens text) {
    /** Without text. */
    public Place(TokenRange local, PatchSpan span) {
      this(local, span, TextTokens.NONE);
    }
  }
}
