package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.AttentionKernel;
import java.util.List;
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
  private @Nullable KeyValueBuffer buffer;
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
    KeyValueBuffer keep = buffer;
    if (keep == null) {
      keep = KeyValueBuffer.of(request, qkv, layout.tokens());
      buffer = keep;
    }
    List<TokenRange> pieces = layout.gathered(qkv.span(), shards);
    try (NDManager scope = owner.newSubManager()) {
      keep.store(scope, Kernels.gathered(scope, qkv, ring), pieces);
    }
    for (TokenRange piece : pieces) {
      filled = Math.max(filled, piece.to());
    }
    return keep.attend(owner, qkv, filled, kernel);
  }

  @Override
  public long bufferBytes() {
    KeyValueBuffer keep = buffer;
    return keep == null ? 0 : keep.bytes();
  }
}
