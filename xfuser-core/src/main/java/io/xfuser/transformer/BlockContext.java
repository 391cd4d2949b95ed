package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.Program;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * Where a block meets what is computed elsewhere: attention over the whole sequence, and the sums
 * of what all {@link Share}s of its layers add to the tokens. Belongs to one block of one request
 * on one rank.
 *
 * @param attentions as many as {@link TransformerSpec#attentions} says
 * @param share what is computed here of the block
 * @param sum adds up over the ranks that compute the other shares; unused where there are none
 * @param listener is told of each layer, where many are computed in one call
 */
public record BlockContext(
    List<Attention> attentions, Share share, Sum sum, LayerListener listener) {
  /** Told to nobody. */
  public BlockContext(List<Attention> attentions, Share share, Sum sum) {
    this(attentions, share, sum, LayerListener.NONE);
  }

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

  /** The values (B, T + l, H, D) that the attention of this number gives; call each once. */
  public NDArray attend(NDManager owner, int attention, Qkv qkv) {
    return attentions.get(attention).attend(owner, qkv);
  }

  /** The functions of {@code program} that add so many terms to the tokens. */
  public Terms terms(int count, Program program) {
    return new Terms(this, count, program);
  }

  /** Bytes of keys and values kept between calls. */
  public long bufferBytes() {
    return attentions.stream().mapToLong(Attention::bufferBytes).sum();
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
