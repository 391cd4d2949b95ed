package io.xfuser.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout;
import io.xfuser.parallel.Communicator;
import io.xfuser.parallel.Communicator.Split;
import java.util.List;

/**
 * Trades a shard of the sequence for a shard of the heads, attends, trades back (DeepSpeed Ulysses,
 * arXiv 2309.14509). Neither the heads nor the tokens need to divide evenly.
 *
 * @param ranks the Ulysses group
 * @param layout who owns which tokens
 * @param shards the places of the group's ranks in the layout, in their order
 * @param inner attends with all tokens of the group and some of the heads
 */
public record UlyssesAttention(
    Communicator ranks, TokenLayout layout, List<Integer> shards, Attention inner)
    implements Attention {
  private static final int TOKENS = 1;
  private static final int HEADS = 3;

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    try (NDManager scope = owner.newSubManager()) {
      Split byHead = Split.even(HEADS, qkv.heads(), ranks.size());
      NDArray mine = ranks.allToAll(scope, qkv.packed(), byHead, TOKENS); // (B, l·U, 3, H/U, D)
      NDArray out = inner.attend(scope, new Qkv(mine, qkv.span())); // (B, l·U, H/U, D)
      List<Long> lengths =
          shards.stream().map(shard -> (long) layout.length(qkv.span(), shard)).toList();
      return ranks.allToAll(owner, out, new Split(TOKENS, lengths), HEADS - 1); // (B, l, H, D)
    }
  }

  @Override
  public long bufferBytes() {
    return inner.bufferBytes();
  }
}
