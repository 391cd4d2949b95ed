package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Queries, keys and values of some tokens.
 *
 * @param packed (B, t + l, 3, H, D): queries, keys, values in one buffer, first of the text tokens
 *     that are here, then of this rank's image tokens
 * @param text which of the T text tokens are here, t of them; none in attention without text, and
 *     without the picture's first patch
 * @param textMask (B, T), of all of the text; given with every patch, since all attend the text;
 *     null = all of it is attended. Integers: 0 where a token is padding that nobody attends, else
 *     any other number. Floats: to the score of a query of weight w and a key of the text of weight
 *     m there is added w·(m − 1); an image's queries have the weight 1
 * @param span the patches that the image tokens belong to
 * @param rest what is left to do
 */
public record Qkv(
    NDArray packed, TextTokens text, @Nullable NDArray textMask, PatchSpan span, Rest rest) {
  /** With nothing left to do. */
  public Qkv(NDArray packed, TextTokens text, @Nullable NDArray textMask, PatchSpan span) {
    this(packed, text, textMask, span, Rest.NONE);
  }

  /** Without a mask. */
  public Qkv(NDArray packed, TextTokens text, PatchSpan span) {
    this(packed, text, null, span);
  }

  /** Image tokens alone. */
  public Qkv(NDArray packed, PatchSpan span) {
    this(packed, TextTokens.NONE, null, span);
  }

  /**
   * What is left to do to a buffer that has the values of image tokens already: their queries and
   * keys are to be normed and turned, the text is to be projected. It is done, in the buffer's
   * place, when the buffer is asked for; so the values may be on their way to other ranks
   * meanwhile.
   */
  public static final class Rest {
    /** Nothing. */
    public static final Rest NONE = new Rest(() -> {});

    private final Runnable work;
    private boolean done;

    private Rest(Runnable work) {
      this.work = work;
    }

    /** That {@code work} is left, which writes no values of image tokens. */
    public static Rest of(Runnable work) {
      return new Rest(work);
    }

    private void finish() {
      if (!done) {
        done = true;
        work.run();
      }
    }
  }

  /** The same with something left to do, which writes no values of image tokens. */
  public Qkv before(Runnable work) {
    return new Qkv(packed, text, textMask, span, Rest.of(work));
  }

  /** (B, t + l, 3, H, D), finished. */
  @Override
  public NDArray packed() {
    rest.finish();
    return packed;
  }

  /** The values (B, l, 1, H, D) of the image tokens, whatever is left to do. */
  public NDArray values(NDManager owner) {
    NDArray ofAll = Torch.slice(owner, packed, 2, 2, 3);
    return Torch.slice(owner, ofAll, 1, textTokens(), tokens());
  }

  /** Whether something is left to do. */
  public boolean unfinished() {
    return rest != Rest.NONE && !rest.done;
  }

  /** The same of other heads and tokens. */
  public Qkv with(NDArray other, TextTokens otherText) {
    return new Qkv(other, otherText, textMask, span);
  }

  /** H, the number of heads. */
  public long heads() {
    return packed.getShape().get(3);
  }

  /** t, the text tokens that are here. */
  public long textTokens() {
    return text.own().length();
  }

  /** t + l. */
  public long tokens() {
    return packed.getShape().get(1);
  }

  /** The mask of all keys of the text and that of the queries here, or an empty list. */
  public List<NDArray> masks(NDManager owner) {
    return textMask == null
        ? List.of()
        : masks(owner, new TokenRange(0, Math.toIntExact(textMask.getShape().get(1))));
  }

  /** The mask of {@code keys} of the text and that of the queries here, or an empty list. */
  public List<NDArray> masks(NDManager owner, TokenRange keys) {
    NDArray mask = textMask;
    return mask == null
        ? List.of()
        : List.of(part(owner, mask, keys), part(owner, mask, text.own()));
  }

  private static NDArray part(NDManager owner, NDArray mask, TokenRange tokens) {
    return Torch.slice(owner, mask, 1, tokens.from(), tokens.to());
  }
}
