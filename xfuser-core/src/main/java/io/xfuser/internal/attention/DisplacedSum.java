package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.transformer.BlockContext.TokenSum;

/**
 * DistriFusion: the fresh sum over this rank's patch, and those that the other patches had in the
 * step before, which travel while the rest of that step is computed.
 */
public final class DisplacedSum implements TokenSum {
  private final FreshSum own;
  private final DisplacedGather all;

  /**
   * For one sum of one block of one request.
   *
   * @param ranks those with the other patches, in order of patch
   * @param patch the ranks that have the tokens of this rank's patch
   * @param shard this rank's place in the layout
   */
  public DisplacedSum(
      Communicator ranks, Communicator patch, TokenLayout layout, int shard, DisplacedSteps steps) {
    this.own = new FreshSum(patch, layout, shard);
    this.all = new DisplacedGather(ranks, steps);
  }

  @Override
  public NDArray of(NDManager owner, PatchSpan span, Part part) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray fresh = own.of(scope, span, part);
      return Kernels.ATTENTION.call(owner, "total", all.next(scope, fresh));
    }
  }

  @Override
  public long bufferBytes() {
    return all.keptBytes();
  }
}
