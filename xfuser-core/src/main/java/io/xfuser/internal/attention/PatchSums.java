package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.transformer.BlockContext.TokenSum;
import java.util.List;
import java.util.stream.IntStream;

/**
 * PipeFusion's patches: fresh sums over those that are computed, those of the step before over the
 * others, each patch's kept; before they all exist, the sum is over those that do. So of
 * DistriFusion's patches on one rank, which see nothing of this step but themselves.
 */
public final class PatchSums implements TokenSum {
  private final Communicator ranks;
  private final TokenLayout layout;
  private final int shard;
  private final PatchValues kept;

  /**
   * Without sums.
   *
   * @param request owns the sums
   * @param ranks those that have the tokens of a patch
   * @param shard this rank's place in the layout
   * @param displaced whether all other patches are those of the step before
   */
  public PatchSums(
      NDManager request, Communicator ranks, TokenLayout layout, int shard, boolean displaced) {
    this.ranks = ranks;
    this.layout = layout;
    this.shard = shard;
    this.kept = new PatchValues(request, layout.patches(), displaced);
  }

  @Override
  public NDArray of(NDManager owner, PatchSpan span, Part part) {
    int start = layout.local(span, shard).from();
    try (NDManager scope = owner.newSubManager()) {
      for (int patch = span.from(); patch < span.to(); patch++) {
        TokenRange local = layout.local(PatchSpan.of(patch), shard);
        TokenRange here = new TokenRange(local.from() - start, local.to() - start);
        kept.put(patch, List.of(ranks.allReduceSum(scope, part.over(scope, here))));
      }
      List<NDArray> all =
          IntStream.range(0, layout.patches())
              .filter(kept::has)
              .mapToObj(patch -> kept.of(patch, span).get(0))
              .toList();
      NDArray total = Kernels.ATTENTION.call(owner, "total", all);
      kept.computed(span);
      return total;
    }
  }

  @Override
  public long bufferBytes() {
    return kept.bytes();
  }
}
