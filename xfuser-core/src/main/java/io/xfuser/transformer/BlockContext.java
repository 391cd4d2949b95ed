package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * Where a block meets what is computed elsewhere: attention over the whole sequence, sums over all
 * of its tokens, tokens beside its own, and the sums of what all {@link Share}s of its layers add
 * to the tokens. Belongs to one block of one request on one rank.
 *
 * @param attentions as many as {@link TransformerSpec#attentions} says
 * @param across sums over all tokens, and tokens beside those that are here
 * @param share what is computed here of the block
 * @param sum adds up over the ranks that compute the other shares; unused where there are none
 * @param listener is told of each layer, where many are computed in one call
 */
public record BlockContext(
    List<Attention> attentions, Across across, Share share, Sum sum, LayerListener listener) {
  /** For blocks whose tokens meet others by attention alone. */
  public BlockContext(List<Attention> attentions, Share share, Sum sum, LayerListener listener) {
    this(attentions, Across.NONE, share, sum, listener);
  }

  /** The same, told to nobody. */
  public BlockContext(List<Attention> attentions, Share share, Sum sum) {
    this(attentions, share, sum, LayerListener.NONE);
  }

  /**
   * What tokens learn of others without attending them: linear attention and convolutions are made
   * of it.
   *
   * @param sums as many as {@link TransformerSpec#sums} says
   * @param neighbours as many as {@link TransformerSpec#neighbours} says
   */
  public record Across(List<TokenSum> sums, List<Neighbours> neighbours) {
    /** Nothing. */
    public static final Across NONE = new Across(List.of(), List.of());

    /** Bytes of what is kept between calls. */
    public long bufferBytes() {
      return sums.stream().mapToLong(TokenSum::bufferBytes).sum()
          + neighbours.stream().mapToLong(Neighbours::bufferBytes).sum();
    }
  }

  /** A sum over all tokens of the sequence, wherever and whenever they are computed. */
  @FunctionalInterface
  public interface TokenSum {
    /**
     * The sum over all tokens, the same on all ranks that have some of them; of patches that are
     * not among {@code span} it is what they had last.
     *
     * @param span the patches of the tokens that are here
     * @param part sums over some of these
     */
    NDArray of(NDManager owner, PatchSpan span, Part part);

    /** Bytes of sums kept between calls. */
    default long bufferBytes() {
      return 0;
    }

    /** A sum over some of the tokens that are here. */
    @FunctionalInterface
    interface Part {
      /**
       * The sum over {@code tokens}, counted from the first that is here, in fp32; owned by {@code
       * owner}.
       */
      NDArray over(NDManager owner, TokenRange tokens);
    }
  }

  /**
   * Tokens with those beside them in the sequence, wherever and whenever they are computed. Tokens
   * run column by column, so a neighbour in the next row is as many places away as a row has
   * columns. Sequences have one segment.
   */
  @FunctionalInterface
  public interface Neighbours {
    /**
     * The tokens of {@code x} in stretches without a gap, each with its neighbours; of patches that
     * are not among {@code span} they are what these had last.
     *
     * @param span the patches of {@code x}
     * @param x tokens (B, l, C), which must not be written afterwards
     * @param reach how many places before and after itself a token looks; the same in every call
     */
    List<Stretch> around(NDManager owner, PatchSpan span, NDArray x, int reach);

    /** Bytes of tokens kept between calls. */
    default long bufferBytes() {
      return 0;
    }
  }

  /**
   * Tokens one after another.
   *
   * @param tokens (B, before + l + after, C): at most as many before and after as a token looks
   *     for, fewer where the sequence begins or ends, or where nobody has them yet
   * @param first the position in the sequence of the first of them
   * @param own which of them were given, counted from the first
   */
  public record Stretch(NDArray tokens, int first, TokenRange own) {}

  /** Adds up over the ranks that compute the shares of one block. */
  @FunctionalInterface
  public interface Sum {
    /** The sum of all ranks' addends, the same bits on every rank, owned by {@code owner}. */
    NDArray of(NDManager owner, NDArray addend);
  }

  /** With nobody: the whole block, attending by {@code attentions}. */
  public static BlockContext none(List<Attention> attentions) {
    return new BlockContext(attentions, Share.WHOLE, (owner, whole) -> whole);
  }

  /** The values (B, t + l, H, D) that the attention of this number gives; call each once. */
  public NDArray attend(NDManager owner, int attention, Qkv qkv) {
    return attentions.get(attention).attend(owner, qkv);
  }

  /** The sum of this number over all tokens; call each once. */
  public NDArray sumOverTokens(NDManager owner, int number, PatchSpan span, TokenSum.Part part) {
    return across.sums().get(number).of(owner, span, part);
  }

  /** Tokens with their neighbours, of this number; call each once. */
  public List<Stretch> around(NDManager owner, int number, PatchSpan span, NDArray x, int reach) {
    return across.neighbours().get(number).around(owner, span, x, reach);
  }

  /** The functions of {@code program} that add so many terms to the tokens. */
  public Terms terms(int count, Program program) {
    return new Terms(this, count, program);
  }

  /** Bytes of keys and values, sums and neighbours kept between calls. */
  public long bufferBytes() {
    return attentions.stream().mapToLong(Attention::bufferBytes).sum() + across.bufferBytes();
  }

  /** Told how far a long computation is, layer by layer, on the thread that computes. */
  @FunctionalInterface
  public interface LayerListener {
    /** Listens to nothing. */
    LayerListener NONE = (done, total) -> {};

    /**
     * So many layers are computed.
     *
     * @throws RuntimeException if nobody wants the rest; the computation lets it through
     */
    void computed(int done, int total);
  }
}
