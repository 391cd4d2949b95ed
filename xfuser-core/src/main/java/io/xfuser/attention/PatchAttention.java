package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenRange;
import io.xfuser.parallel.Communicator;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * PipeFusion (arXiv 2405.14430): fresh keys and values for the patches being computed, those of the
 * step before for the others. Keeps the keys and values of the whole sequence, written in place;
 * before they all exist, a patch attends those that do. Ranks of a ring exchange fresh keys and
 * values only, and keep all. Text comes with the first patch; its keys and values of that step
 * serve the other patches too.
 */
public final class PatchAttention implements Attention {
  private final NDManager request;
  private final TokenLayout layout;
  private final List<Integer> shards;
  private final Communicator ring;
  private final AttentionKernel kernel;
  private @Nullable NDArray buffer; // (B, T + p, 2, H, D)
  private long text; // T, of the first call
  private int filled; // of the image tokens

  /**
   * With an empty buffer.
   *
   * @param request owns the buffer
   * @param shards the places in the layout of the ranks whose tokens arrive, ring rank by ring rank
   * @param ring the ranks that hold the other tokens of a patch; a single one where this rank has
   *     all
   * @param kernel computes it
   */
  public PatchAttention(
      NDManager request,
      TokenLayout layout,
      List<Integer> shards,
      Communicator ring,
      AttentionKernel kernel) {
    this.request = request;
    this.layout = layout;
    this.shards = shards;
    this.ring = ring;
    this.kernel = kernel;
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    NDArray packed = qkv.packed(); // (B, T + l, 3, H, D), or (B, l, 3, H, D) after the first patch
    NDArray keep = buffer;
    if (keep == null) {
      text = qkv.textTokens();
      keep = Kernels.ATTENTION.call(request, "new_buffer", packed, text + layout.tokens());
      buffer = keep;
    }
    List<TokenRange> pieces = layout.gathered(qkv.span(), shards);
    try (NDManager scope = owner.newSubManager()) {
      if (qkv.textTokens() > 0) {
        store(scope, keep, Torch.slice(scope, packed, 1, 0, text), new long[] {0, text});
      }
      NDArray fresh = Torch.slice(scope, packed, 1, qkv.textTokens(), qkv.tokens());
      if (ring.size() > 1) {
        NDArray own = Kernels.ATTENTION.call(scope, "key_values", fresh, 0);
        fresh = ring.allGather(scope, own, 1); // (B, l·R, 2, H, D)
      }
      store(scope, keep, fresh, bounds(pieces));
    }
    for (TokenRange piece : pieces) {
      filled = Math.max(filled, piece.to());
    }
    return Kernels.ATTENTION.call(
        owner, "cached", packed, keep, text + filled, kernel.kernelName());
  }

  private static void store(NDManager scope, NDArray keep, NDArray fresh, long[] bounds) {
    Kernels.ATTENTION.call(scope, "store", keep, fresh, bounds);
  }

  @Override
  public long bufferBytes() {
    NDArray held = buffer;
    return held == null ? 0 : ElementType.bytesOf(held);
  }

  /** Where each piece begins and ends in the buffer. */
  private long[] bounds(List<TokenRange> pieces) {
    return pieces.stream()
        .flatMapToLong(piece -> LongStream.of(text + piece.from(), text + piece.to()))
        .toArray();
  }
}
