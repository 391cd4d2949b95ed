package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Torch;

/**
 * DistriFusion (arXiv 2402.19481): every rank computes a patch, which attends its own fresh keys
 * and values and those that the other patches had in the step before, or in the last one that no
 * step cache spared. They travel while the rest of that step is computed, and are awaited when the
 * same block attends again. In synchronous steps the keys and values of all patches are awaited at
 * once. Text belongs to the first patch.
 */
public final class DisplacedAttention implements Attention {
  private final Communicator ring;
  private final AttentionKernel kernel;
  private final DisplacedGather all; // keys and values

  /**
   * For one block of one request.
   *
   * @param ranks those with the other patches, in order of patch
   * @param ring the ranks that hold the other tokens of this rank's patch; a single one where this
   *     rank has all
   * @param kernel computes it
   */
  public DisplacedAttention(
      Communicator ranks, Communicator ring, DisplacedSteps steps, AttentionKernel kernel) {
    this(ring, kernel, new DisplacedGather(ranks, steps));
  }

  private DisplacedAttention(Communicator ring, AttentionKernel kernel, DisplacedGather all) {
    this.ring = ring;
    this.kernel = kernel;
    this.all = all;
  }

  /**
   * One whose ranks with other patches are told how keys and values have changed, once they know
   * them.
   *
   * @param request owns what is known
   * @param bits of an element, 1, 2 or 4
   * @param whole how many calls, from the first, tell all of it
   */
  public DisplacedAttention compact(NDManager request, int bits, int whole) {
    return new DisplacedAttention(ring, kernel, all.telling(new Residuals(request, bits, whole)));
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = // (B, T' + l·R, 2, H, D); T' is T in the first patch, else 0
          Kernels.keysAndValues(scope, Kernels.gathered(scope, qkv, ring));
      NDArray keys = Torch.concat(scope, all.next(scope, own), 1); // (B, T + p, 2, H, D)
      long tokens = keys.getShape().get(1);
      String name = Kernels.name(kernel, qkv.packed());
      return Kernels.ATTENTION.call(
          owner, "cached", qkv.packed(), keys, tokens, qkv.masks(scope), qkv.textTokens(), name);
    }
  }

  /** Keys and values of all ranks, on their way or here, between two steps. */
  @Override
  public long bufferBytes() {
    return all.keptBytes();
  }
}
