package io.xfuser.internal.attention;

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
      if (qkv.textTokens() > 0) {
        return attendWithText(owner, scope, qkv);
      }
      NDArray mine = toHeads(scope, qkv.packed(), qkv.heads()); // (B, l·U, 3, H/U, D)
      return toTokens(owner, inner.attend(scope, qkv.with(mine)), qkv.span());
    }
  }

  /** All ranks have the text already: each takes its heads of it, and the outputs are gathered. */
  private NDArray attendWithText(NDManager owner, NDManager scope, Qkv qkv) {
    long text = qkv.textTokens(); // T
    Range heads = Range.of(Math.toIntExact(qkv.heads())).shard(ranks.rank(), ranks.size());
    NDArray allHeads = Torch.slice(scope, qkv.packed(), TOKENS, 0, text); // (B, T, 3, H, D)
    NDArray textQkv = // (B, T, 3, H/U, D)
        Torch.slice(scope, allHeads, HEADS, heads.from(), heads.to());
    NDArray imageQkv = // (B, l·U, 3, H/U, D)
        toHeads(scope, Torch.slice(scope, qkv.packed(), TOKENS, text, qkv.tokens()), qkv.heads());
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

  /** (B, l, 3, H, D) to (B, l·U, 3, H/U, D). */
  private NDArray toHeads(NDManager owner, NDArray packed, long heads) {
    return ranks.allToAll(owner, packed, Split.even(HEADS, heads, ranks.size()), TOKENS);
  }

  /** (B, l·U, H/U, D) to (B, l, H, D). */
  private NDArray toTokens(NDManager owner, NDArray out, PatchSpan span) {
    List<Long> lengths = shards.stream().map(shard -> (long) layout.length(span, shard)).toList();
    return ranks.allToAll(owner, out, new Split(TOKENS, lengths), HEADS - 1);
  }

  @Override
  public long bufferBytes() {
    return inner.bufferBytes();
  }
}
