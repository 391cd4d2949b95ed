package io.xfuser.internal.attention;

import static io.xfuser.internal.attention.HeadTrade.HEADS;
import static io.xfuser.internal.attention.HeadTrade.TOKENS;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import java.util.List;

/**
 * Trades a shard of the sequence for a shard of the heads, attends, trades back (DeepSpeed Ulysses,
 * arXiv 2309.14509). Neither the heads nor the tokens need to divide evenly.
 *
 * @param ranks the Ulysses group
 * @param layout who owns which tokens
 * @param shards the places of the group's ranks in the layout, in their order
 * @param trade gives this rank its heads of the group's image tokens
 * @param inner attends with all tokens of the group and some of the heads
 */
public record UlyssesAttention(
    Communicator ranks, TokenLayout layout, List<Integer> shards, HeadTrade trade, Attention inner)
    implements Attention {
  /** Trading all at once. */
  public UlyssesAttention(
      Communicator ranks, TokenLayout layout, List<Integer> shards, Attention inner) {
    this(ranks, layout, shards, HeadTrade.together(ranks), inner);
  }

  @Override
  public NDArray attend(NDManager owner, Qkv qkv) {
    SharedText text = new SharedText(qkv.text(), ranks);
    List<Long> image = imageLengths(layout, shards, qkv.span());
    try (NDManager scope = owner.newSubManager()) {
      NDArray mine = trade.toHeads(scope, qkv, image); // (B, T + l·U, 3, H/U, D)
      NDArray out = // (B, T + l·U, H/U, D)
          inner.attend(scope, qkv.with(mine, text.together()));
      Split tokens = new Split(TOKENS, text.lengths(image));
      return ranks.allToAll( // (B, t + l, H, D)
          owner, text.byRank(scope, out, image), tokens, HEADS - 1);
    }
  }

  /** The image tokens of each rank. */
  static List<Long> imageLengths(TokenLayout layout, List<Integer> shards, PatchSpan span) {
    return shards.stream().map(shard -> (long) layout.length(span, shard)).toList();
  }

  @Override
  public long bufferBytes() {
    return trade.bufferBytes() + inner.bufferBytes();
  }
}
