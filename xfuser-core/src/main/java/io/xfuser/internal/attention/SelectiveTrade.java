package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.TwoLevels;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Ranks on different nodes trade only those of their tokens whose values have changed most since
 * they were sent, by the sum of absolute differences (V-Major selective communication, arXiv
 * 2604.14561); of the others queries, keys and values stay what they were. Ranks of one node trade
 * all, and text is all traded. In the first step all of it is sent, and so it is where a request
 * goes on on other ranks.
 */
public final class SelectiveTrade implements HeadTrade {
  private final NDManager request;
  private final TwoLevels ranks;
  private final TokenLayout layout;
  private final List<Integer> shards;
  private final Schedule schedule;
  private final HeadTrade whole;
  private final NDArray unsent;
  private int step;
  private @Nullable NDArray
      sent; // values (B, l, 1, H, D) of this rank's tokens, as others have them
  private @Nullable NDArray kept; // (B, l·U, 3, H/U, D)

  /**
   * How much is not sent: nothing in the first of all steps, more from step to step.
   *
   * @param share of a rank's tokens in the last step, from 0 to 1
   * @param from the first step to take
   * @param steps all, also those that were taken before
   * @param valuesFirst whether values are sent before queries and keys, where these are unfinished
   */
  public record Schedule(double share, int from, int steps, boolean valuesFirst) {
    /** How many of {@code tokens} are sent in {@code step}. */
    int sent(int tokens, int step) {
      double unsent = steps == 1 ? 0 : share * step / (steps - 1);
      return step == from ? tokens : tokens - (int) (tokens * unsent);
    }
  }

  /**
   * With nothing kept.
   *
   * @param request owns what is kept
   * @param ranks the Ulysses group
   * @param layout who owns which tokens
   * @param shards the places of the group's ranks in the layout, in their order
   * @param whole trades all, in the order that is asked for
   * @param unsent (2) in fp32, to which is added what values have changed without being sent, and
   *     what all are, as sums of absolute numbers
   */
  public SelectiveTrade(
      NDManager request,
      TwoLevels ranks,
      TokenLayout layout,
      List<Integer> shards,
      Schedule schedule,
      HeadTrade whole,
      NDArray unsent) {
    this.request = request;
    this.ranks = ranks;
    this.layout = layout;
    this.shards = shards;
    this.schedule = schedule;
    this.whole = whole;
    this.unsent = unsent;
    this.step = schedule.from();
  }

  @Override
  public NDArray toHeads(NDManager owner, Qkv qkv, List<Long> image) {
    NDArray mine =
        step == schedule.from() || ranks.nodes().size() == 1
            ? first(owner, qkv, image)
            : selected(owner, qkv);
    if (qkv.span().to() == layout.patches()) {
      step++;
    }
    return mine;
  }

  private NDArray first(NDManager owner, Qkv qkv, List<Long> image) {
    NDArray mine = whole.toHeads(owner, qkv, image); // (B, T + l·U, 3, H/U, D)
    try (NDManager scope = owner.newSubManager()) {
      NDArray values = qkv.values(scope);
      NDArray own = sent == null ? room(values, length(layout.all(), ranks.rank())) : sent;
      NDArray all = kept == null ? room(mine, places(layout.all(), ranks.size())) : kept;
      sent = own;
      kept = all;
      put(scope, own, layout.local(qkv.span(), shards.get(ranks.rank())), values);
      long from = new SharedText(qkv.text(), ranks).together().own().length();
      for (int rank = 0; rank < ranks.size(); rank++) {
        long to = from + length(qkv.span(), rank);
        put(scope, all, place(qkv.span(), rank), Torch.slice(scope, mine, TOKENS, from, to));
        from = to;
      }
    }
    return mine;
  }

  private NDArray room(NDArray like, long tokens) {
    return Kernels.ATTENTION.call(request, "room", like, tokens);
  }

  private static void put(NDManager scope, NDArray buffer, TokenRange where, NDArray fresh) {
    long from = where.from();
    Kernels.ATTENTION.call(scope, "put", buffer, from, fresh);
  }

  /**
   * A part of queries, keys and values, from {@code from} on, on its way to the ranks of a node.
   */
  private record Half(long from, Pending near) {}

  private NDArray selected(NDManager owner, Qkv qkv) {
    PatchSpan span = qkv.span();
    Split heads = HeadTrade.byHeads(qkv, ranks);
    try (NDManager scope = owner.newSubManager()) {
      NDArray values = qkv.values(scope);
      Pending chosen = ranks.node().startAllGather(choose(scope, values, span));
      List<Half> halves = new ArrayList<>();
      if (schedule.valuesFirst() && qkv.unfinished()) {
        halves.add(new Half(2, ranks.startNear(values, heads, TOKENS)));
        NDArray rest = Torch.slice(scope, HeadTrade.image(scope, qkv), PARTS, 0, 2);
        halves.add(new Half(0, ranks.startNear(rest, heads, TOKENS)));
      } else {
        halves.add(new Half(0, ranks.startNear(HeadTrade.image(scope, qkv), heads, TOKENS)));
      }
      List<NDArray> ofNode = chosen.await(scope); // places (B, k) of each rank's tokens
      Pending places = ranks.nodes().startAllGather(Torch.concat(scope, ofNode, TOKENS));
      List<Pending> far = new ArrayList<>();
      for (Half half : halves) {
        far.add(toNodes(scope, half, span, ofNode, ranks.far(heads)));
      }
      NDArray all = // (B, k of all)
          Torch.concat(scope, places.await(scope), TOKENS);
      for (int i = 0; i < halves.size(); i++) {
        NDArray fresh = Torch.concat(scope, far.get(i).await(scope), TOKENS);
        Kernels.ATTENTION.call(scope, "put_at", kept(), halves.get(i).from(), all, fresh);
      }
      List<NDArray> pieces = new ArrayList<>(HeadTrade.text(scope, qkv, ranks));
      for (int rank = 0; rank < ranks.size(); rank++) {
        TokenRange where = place(span, rank);
        pieces.add(Torch.slice(scope, kept(), TOKENS, where.from(), where.to()));
      }
      return Torch.concat(owner, pieces, TOKENS);
    }
  }

  /** The places (B, k) of the tokens of this rank that are sent; others will have these values. */
  private NDArray choose(NDManager scope, NDArray values, PatchSpan span) {
    TokenRange own = layout.local(span, shards.get(ranks.rank()));
    long count = schedule.sent(own.length(), step);
    long from = own.from();
    long place = place(span, ranks.rank()).from();
    return Kernels.ATTENTION.call(
        scope, "most_changed", values, sent(), unsent, from, count, place);
  }

  /** What is fresh of this node stays here, and what was chosen of it goes to the other nodes. */
  private Pending toNodes(
      NDManager scope, Half half, PatchSpan span, List<NDArray> chosen, Split heads) {
    List<NDArray> near = half.near().await(scope); // each (B, l, n, H of all like this rank, D)
    List<NDArray> leaving = new ArrayList<>();
    int first = ranks.nodes().rank() * ranks.node().size();
    long from = heads.lengths().stream().limit(ranks.nodes().rank()).mapToLong(x -> x).sum();
    long to = from + heads.lengths().get(ranks.nodes().rank());
    for (int i = 0; i < near.size(); i++) {
      long place = place(span, first + i).from();
      NDArray own = Torch.slice(scope, near.get(i), HEADS, from, to);
      Kernels.ATTENTION.call(scope, "put_parts", kept(), half.from(), place, own);
      leaving.add(Kernels.ATTENTION.call(scope, "taken_at", near.get(i), chosen.get(i), place));
    }
    return ranks.nodes().startAllToAll(Torch.concat(scope, leaving, TOKENS), heads, TOKENS);
  }

  /** Where the tokens of {@code span} that are some rank's lie in what is kept. */
  private TokenRange place(PatchSpan span, int rank) {
    int before = places(layout.all(), rank);
    TokenRange local = layout.local(span, shards.get(rank));
    return new TokenRange(before + local.from(), before + local.to());
  }

  /** Tokens of the first {@code ranks} of the group. */
  private int places(PatchSpan span, int first) {
    return IntStream.range(0, first).map(rank -> length(span, rank)).sum();
  }

  private int length(PatchSpan span, int rank) {
    return layout.length(span, shards.get(rank));
  }

  private NDArray sent() {
    return known(sent);
  }

  private NDArray kept() {
    return known(kept);
  }

  private static NDArray known(@Nullable NDArray tensor) {
    if (tensor == null) {
      throw new IllegalStateException("nothing was sent in the first step");
    }
    return tensor;
  }

  @Override
  public long bufferBytes() {
    NDArray own = sent;
    NDArray all = kept;
    return own == null || all == null ? 0 : ElementType.bytesOf(own) + ElementType.bytesOf(all);
  }
}
