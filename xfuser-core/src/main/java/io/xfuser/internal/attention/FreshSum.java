package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.transformer.BlockContext.TokenSum;

/**
 * Every step has all tokens: those of this rank are summed, and the sums of all ranks added up.
 *
 * @param ranks those that have the tokens
 * @param shard this rank's place in the layout
 */
public record FreshSum(Communicator ranks, TokenLayout layout, int shard) implements TokenSum {
  @Override
  public NDArray of(NDManager owner, PatchSpan span, Part part) {
    try (NDManager scope = owner.newSubManager()) {
      TokenRange all = new TokenRange(0, layout.length(span, shard));
      return ranks.allReduceSum(owner, part.over(scope, all));
    }
  }
}
