package io.xfuser.internal.attention;

import static io.xfuser.internal.attention.HeadTrade.HEADS;
import static io.xfuser.internal.attention.HeadTrade.TOKENS;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.torchscript.Torch;
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
    try (NDManager scope = owner.newSubManager()) {
      NDArray mine = trade.toHeads(scope, qkv); // (B, l·U, 3, H/U, D)
      if (qkv.textTokens() > 0) {
        return attendWithText(owner, scope, qkv, mine);
      }
      return toTokens(owner, inner.attend(scope, qkv.with(mine)), qkv.span());
    }
  }

  /** All ranks have the text already: each takes its heads of it, and the outputs are gathered. */
  private NDArray attendWithText(
      NDManager owner, NDManager scope, Qkv qkv, NDArray imageQkv) { // (B, l·U, 3, H/U, D)
    long text = qkv.textTokens(); // T
    Range heads = Range.of(Math.toIntExact(qkv.heads())).shard(ranks.rank(), ranks.size());
    NDArray allHeads = Torch.slice(scope, qkv.packed(), TOKENS, 0, text); // (B, T, 3, H, D)
    NDArray textQkv = // (B, T, 3, H/U, D)
        Torch.slice(scope, allHeads, HEADS, heads.from(), heads.to());
    NDArray joint = // (B, T + l·U, 3, H/U, D)
        Torch.concat(scope, List.of(textQkv, imageQkv), TOKENS);
    NDArray out = inner.attend(scope, qkv.with(joint)); // (B, T + l·U, H/U, D)
    Pending textOfAll = // each (B, T, H/U, D)
        ranks.startAllGather(Torch.contiguous(scope, Torch.slice(scope, out, TOKENS, 0, text)));
    NDArray imageOut = // (B, l, H, D)
        toTokens(
            scope, Torch.slice(scope, out, TOKENS, text, out.getShape().get(TOKENS)), qkv.span());
    NDArray textOut = Torch.concat(scope, textOfAll.await(scope), HEADS - 1); // (B, T, H, D)
    return Torch.concat(owner, List.of(textOut, imageOut), TOKENS); // (B, T + l, H, D)
  }

  /** (B, l·U, H/U, D) to (B, l, H, D). */
  private NDArray toTokens(NDManager owner, NDArray out, PatchSpan span) {
    List<Long> lengths = shards.stream().map(shard -> (long) layout.length(span, shard)).toList();
    return ranks.allToAll(owner, out, new Split(TOKENS, lengths), HEADS - 1);
  }

  @Override
  public long bufferBytes() {
    return trade.bufferBytes() + inner.bufferBytes();
  }
}
