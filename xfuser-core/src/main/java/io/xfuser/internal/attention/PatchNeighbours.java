package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.attention.Edges.Piece;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.Neighbours;
import io.xfuser.transformer.BlockContext.Stretch;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Fresh neighbours where they are computed at the same time, here or on other ranks; of other
 * patches the tokens that these had last (PipeFusion), or had in the step before (DistriFusion on
 * one rank). Of each patch its first and its last tokens are kept, as many as are looked at.
 */
public final class PatchNeighbours implements Neighbours {
  private final Communicator ranks;
  private final TokenLayout layout;
  private final PatchValues kept;
  private final List<Integer> shards;
  private final boolean keeps;
  private int known; // patches that were computed at least once

  /**
   * Without tokens.
   *
   * @param request owns what is kept
   * @param ranks those that have the picture's tokens, in order of shard
   * @param keeps whether some step computes one patch alone
   * @param displaced whether all other patches are then those of the step before
   */
  public PatchNeighbours(
      NDManager request, Communicator ranks, TokenLayout layout, boolean keeps, boolean displaced) {
    this.ranks = ranks;
    this.layout = layout;
    this.keeps = keeps;
    this.kept = new PatchValues(request, layout.patches(), displaced);
    this.shards = IntStream.range(0, layout.shards()).boxed().toList();
  }

  @Override
  public List<Stretch> around(NDManager owner, PatchSpan span, NDArray x, int reach) {
    known = Math.max(known, span.to());
    EdgeTrade trade = new EdgeTrade(ranks, new Edges(layout, reach));
    if (keeps) {
      keep(span, x, reach);
    }
    EdgeTrade.Own own = (to, piece) -> own(to, piece, span, x, reach);
    Map<Integer, NDList> arrived = new TreeMap<>();
    try (NDManager scope = owner.newSubManager()) {
      trade
          .start(shards, span, known, own)
          .forEach((shard, pending) -> arrived.put(shard, pending.await(scope)));
      List<Stretch> all =
          trade.stretches(owner, new EdgeTrade.Computed(span, x, known), arrived, own);
      kept.computed(span);
      return all;
    }
  }

  private void keep(PatchSpan span, NDArray x, int reach) {
    try (NDManager scope = Torch.newManager()) {
      for (int patch = span.from(); patch < span.to(); patch++) {
        TokenRange at = within(span, patch);
        int edge = Math.min(reach, at.length());
        NDArray first = Torch.slice(scope, x, 1, at.from(), at.from() + edge);
        NDArray last = Torch.slice(scope, x, 1, at.to() - edge, at.to());
        kept.put(patch, List.of(first, last));
      }
    }
  }

  /** Where the tokens of {@code patch} lie among this rank's of {@code span}. */
  private TokenRange within(PatchSpan span, int patch) {
    int start = layout.local(span, ranks.rank()).from();
    TokenRange local = layout.local(PatchSpan.of(patch), ranks.rank());
    return new TokenRange(local.from() - start, local.to() - start);
  }

  /** Tokens of this rank: those that are computed, or what is kept of other patches. */
  private NDArray own(NDManager to, Piece piece, PatchSpan span, NDArray x, int reach) {
    TokenRange within = piece.within();
    int patch = piece.patch();
    if (patch >= span.from() && patch < span.to()) {
      int start = within(span, patch).from();
      return Torch.slice(to, x, 1, start + within.from(), start + within.to());
    }
    int length = layout.length(PatchSpan.of(patch), ranks.rank());
    int edge = Math.min(reach, length);
    List<NDArray> edges = kept.of(patch, span);
    return within.to() <= edge
        ? Torch.slice(to, edges.get(0), 1, within.from(), within.to())
        : Torch.slice(
            to, edges.get(1), 1, within.from() - length + edge, within.to() - length + edge);
  }

  @Override
  public long bufferBytes() {
    return kept.bytes();
  }
}
