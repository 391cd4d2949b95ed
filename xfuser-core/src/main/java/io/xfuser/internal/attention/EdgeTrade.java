package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.attention.Edges.Piece;
import io.xfuser.internal.attention.Edges.Run;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.Stretch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Ranks hand one another the tokens at the edges of what they own: to each as many as it looks at,
 * in one message.
 *
 * @param ranks those that have the picture's tokens, in order of shard
 * @param edges who looks at what
 */
record EdgeTrade(Communicator ranks, Edges edges) {
  /** Gives tokens (B, n, C) of this rank, owned by the manager given. */
  @FunctionalInterface
  interface Own {
    NDArray of(NDManager owner, Piece piece);
  }

  /**
   * Starts a trade with the shards of {@code partners}, this rank not counted.
   *
   * @param span what all of them compute
   * @param known of the patches from here on nobody knows
   * @return what arrives, by shard
   */
  Map<Integer, Pending> start(List<Integer> partners, PatchSpan span, int known, Own own) {
    Map<Integer, Pending> arriving = new TreeMap<>();
    int here = ranks.rank();
    for (int partner : partners) {
      List<Piece> seen = of(here, edges.runs(span, partner, known));
      if (partner != here && !seen.isEmpty()) {
        try (NDManager scope = Torch.newManager()) {
          ranks.send(seen.stream().map(piece -> copy(scope, piece, own)).toList(), partner);
        }
      }
    }
    List<Run> mine = edges.runs(span, here, known);
    for (int partner : partners) {
      if (partner != here && !of(partner, mine).isEmpty()) {
        arriving.put(partner, ranks.receive(partner));
      }
    }
    return arriving;
  }

  private static NDArray copy(NDManager scope, Piece piece, Own own) {
    return Torch.copy(scope, own.of(scope, piece));
  }

  private static List<Piece> of(int shard, List<Run> runs) {
    return runs.stream()
        .flatMap(run -> run.all().stream())
        .filter(piece -> piece.shard() == shard)
        .toList();
  }

  /**
   * The stretches of this rank.
   *
   * @param computed its tokens (B, l, C) of a span
   * @param arrived what the others have sent, by shard
   */
  List<Stretch> stretches(
      NDManager owner, Computed computed, Map<Integer, NDList> arrived, Own own) {
    Map<Integer, Deque<NDArray>> left = new TreeMap<>();
    arrived.forEach((shard, tensors) -> left.put(shard, new ArrayDeque<>(tensors)));
    List<Stretch> stretches = new ArrayList<>();
    int from = 0;
    try (NDManager scope = owner.newSubManager()) {
      Function<Piece, NDArray> tokens =
          piece ->
              piece.shard() == ranks.rank()
                  ? own.of(scope, piece)
                  : Objects.requireNonNull(left.get(piece.shard())).removeFirst();
      for (Run run : edges.runs(computed.span(), ranks.rank(), computed.known())) {
        int to = from + run.own().length();
        List<NDArray> parts = new ArrayList<>();
        run.before().forEach(piece -> parts.add(tokens.apply(piece)));
        int before = run.own().from() - run.first();
        parts.add(Torch.slice(scope, computed.x(), 1, from, to));
        run.after().forEach(piece -> parts.add(tokens.apply(piece)));
        NDArray all = Torch.concat(owner, parts, 1); // (B, before + l + after, C)
        TokenRange mine = new TokenRange(before, before + run.own().length());
        stretches.add(new Stretch(all, run.first(), mine));
        from = to;
      }
    }
    return stretches;
  }

  /**
   * Tokens {@code x} (B, l, C) of {@code span}, of which the patches before {@code known} exist.
   */
  record Computed(PatchSpan span, NDArray x, int known) {}
}
