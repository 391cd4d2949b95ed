package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The formulas of one sum over all tokens of a block and of one look at neighbours: tokens that a
 * rank sends are those that another one looks at, each as often as it is looked at in a step.
 *
 * @param warmup synchronous steps; null if all of them are
 */
record ExpectedAcross(
    CostContract model,
    ParallelConfig degrees,
    DeviceMesh mesh,
    TokenLayout layout,
    @Nullable Integer warmup) {
  private int patchRanks() {
    return degrees.ulyssesDegree() * degrees.ringDegree();
  }

  private boolean distributed() {
    return degrees.distrifusionDegree() > 1;
  }

  /** The patches that are computed together, step by step. */
  private List<PatchSpan> spans() {
    List<PatchSpan> spans = new ArrayList<>();
    int synchronous = warmup == null ? CostContract.STEPS : warmup;
    if (warmup != null && degrees.distrifusionPatches() > 1) {
      synchronous = Math.max(1, synchronous);
    }
    for (int step = 0; step < CostContract.STEPS; step++) {
      if (step < synchronous) {
        spans.add(layout.all());
      } else {
        IntStream.range(0, layout.patches()).mapToObj(PatchSpan::of).forEach(spans::add);
      }
    }
    return spans;
  }

  /**
   * An all-reduce among the R ranks of a patch, for each patch where sums are kept by patch: of n
   * elements, of which this rank sums a part p, n − p and then (R − 1)·p are sent.
   */
  long summed(long batch, int shard, Range heads) {
    int ranks = patchRanks();
    long elements = batch * model.tokenSum(heads.length());
    int place = shard % ranks;
    long part = elements * (place + 1) / ranks - elements * place / ranks;
    boolean byPatch = warmup != null && !distributed();
    long times = spans().stream().mapToLong(s -> byPatch ? s.to() - s.from() : 1).sum();
    return ranks == 1 ? 0 : times * (elements - part + (ranks - 1) * part);
  }

  /** The sum of a patch, to the ranks of all others. */
  long displaced(Range heads) {
    return (degrees.distrifusionDegree() - 1L) * model.tokenSum(heads.length());
  }

  /** Tokens of {@code owner} that others look at, times their width. */
  long traded(int owner) {
    long tokens = 0;
    int known = 0;
    List<PatchSpan> spans = spans();
    for (int i = 0; i < spans.size(); i++) {
      PatchSpan span = spans.get(i);
      known = Math.max(known, span.to());
      for (int other = 0; other < layout.shards(); other++) {
        boolean far = other / patchRanks() != owner / patchRanks();
        // what other patches of DistriFusion look at in the next step is not sent in the last one
        boolean read = !far || warmup == null || i < spans.size() - 1;
        if (other != owner && read) {
          tokens += seen(span, other, owner, known);
        }
      }
    }
    return tokens * model.width();
  }

  /** How many tokens of {@code owner} one that has {@code shard} of {@code span} looks at. */
  private long seen(PatchSpan span, int shard, int owner, int known) {
    long tokens = 0;
    for (TokenRange run : layout.gathered(span, List.of(shard))) {
      for (int patch = 0; patch < known; patch++) {
        TokenRange its = layout.gathered(PatchSpan.of(patch), List.of(owner)).get(0);
        tokens += common(its, run.from() - model.reach(), run.from());
        tokens += common(its, run.to(), run.to() + model.reach());
      }
    }
    return tokens;
  }

  private static long common(TokenRange range, int from, int to) {
    return Math.max(0, Math.min(range.to(), to) - Math.max(range.from(), from));
  }

  /** Sums kept between calls: one of each patch, of two steps where patches see the one before. */
  long keptSums(Range heads) {
    if (warmup == null) {
      return 0;
    }
    int patches = distributed() ? degrees.distrifusionDegree() : layout.patches();
    return patches * model.tokenSum(heads.length());
  }

  /** Tokens kept between calls, times their width: the first and the last of each patch. */
  long keptTokens(int shard) {
    if (warmup == null) {
      return 0;
    }
    if (distributed()) {
      return model.width()
          * IntStream.range(0, layout.shards())
              .filter(other -> other / patchRanks() != shard / patchRanks())
              .mapToLong(other -> seen(layout.all(), shard, other, layout.patches()))
              .sum();
    }
    LongStream edges =
        IntStream.range(0, layout.patches())
            .mapToLong(m -> Math.min(model.reach(), layout.length(PatchSpan.of(m), shard)));
    return 2 * edges.sum() * model.width();
  }

  /** Of a block's norms over the heads of all shares: in each pass of tokens, and of text once. */
  long squares(long batch, int shard, int rank) {
    int part = mesh.coordinate(rank, MeshAxis.TENSOR);
    long sent = addedUp(part, batch * model.squaredText());
    for (PatchSpan span : spans()) {
      long rows = batch * layout.length(span, shard);
      sent += model.squares().stream().mapToLong(k -> addedUp(part, rows * k)).sum();
    }
    return sent;
  }

  /** What a rank sends of so many numbers that its tensor-parallel ranks add up. */
  private long addedUp(int part, long numbers) {
    int ranks = degrees.tensorDegree();
    long own = numbers * (part + 1) / ranks - numbers * part / ranks;
    return numbers - own + (ranks - 1) * own;
  }
}
