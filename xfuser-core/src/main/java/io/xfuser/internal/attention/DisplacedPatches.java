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
 * DistriFusion's patches one after the other on one rank: each attends its own fresh keys and
 * values and those that the others had in the step before, as in {@link DisplacedAttention}. So it
 * keeps the whole sequence twice, of this step and of the one before.
 */
public final class DisplacedPatches implements Attention {
  private final NDManager request;
  private final TokenLayout layout;
  private final List<Integer> shards;
  private final Communicator ring;
  private final AttentionKernel kernel;
  private @Nullable BufferPair kept;

  /** See {@link PatchAttention}, whose parameters these are. */
  public DisplacedPatches(
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

  /** What was in the step before, and what is already of this one. */
  private record BufferPair(KeyValueBuffer before, KeyValueBuffer now) {
    /** After the last patch; what was before will be written anew. */
    BufferPair next() {
      return new BufferPair(/* before= */ now, /* now= */ before);
    }
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    BufferPair buffers = kept;
    if (buffers == null) {
      KeyValueBuffer first = KeyValueBuffer.of(request, qkv, layout.tokens());
      buffers = new BufferPair(first, first.copy(request));
    }
    List<TokenRange> pieces = layout.gathered(qkv.span(), shards);
    kept = qkv.span().to() == layout.patches() ? buffers.next() : buffers;
    try (NDManager scope = owner.newSubManager()) {
      NDArray fresh = Kernels.gathered(scope, qkv, ring); // (B, T' + l, 2 or 3, H, D)
      buffers.now().store(scope, fresh, pieces);
      KeyValueBuffer mixed = buffers.before().copy(scope);
      mixed.store(scope, fresh, pieces);
      return mixed.attend(owner, qkv, layout.tokens(), kernel);
    }
  }

  @Override
  public long bufferBytes() {
    BufferPair buffers = kept;
    return buffers == null ? 0 : buffers.before().bytes() + buffers.now().bytes();
  }
}
