package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenRange;
import io.xfuser.parallel.Communicator;
import io.xfuser.torchscript.ElementType;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * PipeFusion (arXiv 2405.14430): fresh keys and values for the patches being computed, those of the
 * step before for the others. Keeps the keys and values of the whole sequence, written in place;
 * before they all exist, a patch attends those that do. Ranks of a ring exchange fresh keys and
 * values only, and keep all.
 */
public final class PatchAttention implements Attention {
  private final NDManager request;
  private final TokenLayout layout;
  private final List<Integer> shards;
  private final Communicator ring;
  private @Nullable NDArray buffer; // (B, p, 2, H, D)
  private int filled;

  /**
   * With an empty buffer.
   *
   * @param request owns the buffer
   * @param shards the places in the layout of the ranks whose tokens arrive, ring rank by ring rank
   * @param ring the ranks that hold the other tokens of a patch; a single one where this rank has
   *     all
   */
  public PatchAttention(
      NDManager request, TokenLayout layout, List<Integer> shards, Communicator ring) {
    this.request = request;
    this.layout = layout;
    this.shards = shards;
    this.ring = ring;
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    NDArray packed = qkv.packed(); // (B, l, 3, H, D)
    NDArray keep = buffer;
    if (keep == null) {
      keep = Kernels.ATTENTION.call(request, "new_buffer", packed, layout.tokens());
      buffer = keep;
    }
    List<TokenRange> pieces = layout.gathered(qkv.span(), shards);
    try (NDManager scope = owner.newSubManager()) {
      NDArray fresh = packed;
      if (ring.size() > 1) {
        NDArray own = Kernels.ATTENTION.call(scope, "key_values", packed);
        fresh = ring.allGather(scope, own, 1); // (B, l·R, 2, H, D)
      }
      Kernels.ATTENTION.call(
          scope,
          "store",
          keep,
          fresh,
          bounds(pieces, TokenRange::from),
          bounds(pieces, TokenRange::to));
    }
    for (TokenRange piece : pieces) {
      filled = Math.max(filled, piece.to());
    }
    return Kernels.ATTENTION.call(owner, "cached", packed, keep, filled);
  }

  @Override
  public long bufferBytes() {
    NDArray held = buffer;
    return held == null ? 0 : ElementType.bytesOf(held);
  }

  private static long[] bounds(List<TokenRange> pieces, ToIntFunction<TokenRange> bound) {
    return pieces.stream().mapToInt(bound).asLongStream().toArray();
  }
}
