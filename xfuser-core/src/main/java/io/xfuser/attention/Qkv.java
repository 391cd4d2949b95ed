package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import io.xfuser.nn.TokenLayout.PatchSpan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Queries, keys and values of some tokens.
 *
 * @param packed (B, T + l, 3, H, D): queries, keys, values in one buffer, first of the text tokens,
 *     which all ranks of a patch have alike, then of this rank's image tokens
 * @param textTokens T; 0 in attention without text, and without the picture's first patch
 * @param textMask (B, T); given with every patch, since all attend the text; null = all of it is
 *     attended. Integers: 0 where a token is padding that nobody attends, else any other number.
 *     Floats: to the score of a query of weight w and a key of the text of weight m there is added
 *     w·(m − 1); an image's queries have the weight 1
 * @param span the patches that the image tokens belong to
 */
public record Qkv(NDArray packed, long textTokens, @Nullable NDArray textMask, PatchSpan span) {
  /** With all text. */
  public Qkv(NDArray packed, long textTokens, PatchSpan span) {
    this(packed, textTokens, null, span);
  }

  /** Image tokens alone. */
  public Qkv(NDArray packed, PatchSpan span) {
    this(packed, 0, null, span);
  }

  /** The same of other heads or tokens. */
  public Qkv with(NDArray other) {
    return new Qkv(other, textTokens, textMask, span);
  }

  /** H, the number of heads. */
  public long heads() {
    return packed.getShape().get(3);
  }

  /** T + l. */
  public long tokens() {
    return packed.getShape().get(1);
  }

  /** The mask in a list, or an empty one. */
  public List<NDArray> masks() {
    return textMask == null ? List.of() : List.of(textMask);
  }
}
