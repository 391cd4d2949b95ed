package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.Neighbours;
import io.xfuser.transformer.BlockContext.Stretch;
import io.xfuser.transformer.BlockContext.TokenSum;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whose tokens of which step are summed up, and looked at. A token's value is its position and, in
 * hundreds, the step.
 */
class AcrossTest {
  private static final int TOKENS = 11;
  private static final int REACH = 3;
  private static final Sequence LINE = new Sequence(new Sequence.Axes(1, 1, TOKENS));

  /** Shards may be shorter than the reach: neighbours are then those of several ranks. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "5, 1", "1, 3", "2, 2", "3, 3", "1, 11"})
  void freshNeighboursAreAllWithinReach(int patches, int ranks) throws Exception {
    TokenLayout layout = new TokenLayout(LINE, patches, ranks);
    run(
        ranks,
        world -> {
          try (NDManager request = Torch.newManager()) {
            Neighbours neighbours = neighbours(request, world, layout, false);
            for (int step = 0; step < 2; step++) {
              for (Stretch s : seen(request, neighbours, layout, layout.all(), world, step)) {
                int now = step;
                assertThat(values(s.tokens()))
                    .isEqualTo(around(s, position -> position + 100 * now));
              }
            }
            return 0;
          }
        });
  }

  /** Those of later patches are of the step before, and there are none before the first step. */
  @ParameterizedTest
  @CsvSource({"1", "2"})
  void patchesSeeEarlierOnesFreshAndLaterOnesStale(int ranks) throws Exception {
    int patches = 3;
    TokenLayout layout = new TokenLayout(LINE, patches, ranks);
    run(
        ranks,
        world -> {
          try (NDManager request = Torch.newManager()) {
            Neighbours neighbours = neighbours(request, world, layout, false);
            TokenSum sum =
                new PatchSums(
                    request, world.group(Channel.TOKENS, all(ranks)), layout, world.rank(), false);
            for (int step = 0; step < 3; step++) {
              for (int patch = 0; patch < patches; patch++) {
                int now = step;
                int end = end(layout, patch);
                PatchSpan span = PatchSpan.of(patch);
                for (Stretch s : seen(request, neighbours, layout, span, world, step)) {
                  int known = step == 0 ? end : TOKENS;
                  assertThat(s.first() + values(s.tokens()).size()).isLessThanOrEqualTo(known);
                  assertThat(values(s.tokens()))
                      .isEqualTo(around(s, at -> at + 100 * (at < end ? now : now - 1)));
                }
                double expected =
                    IntStream.range(0, now == 0 ? end : TOKENS)
                        .mapToDouble(at -> at + 100.0 * (at < end ? now : now - 1))
                        .sum();
                assertThat(summed(request, sum, layout, span, world, step)).isEqualTo(expected);
              }
            }
            assertThat(neighbours.bufferBytes()).isPositive();
            return 0;
          }
        });
  }

  /** On ranks of their own and one after the other on one rank: others' are of the step before. */
  @ParameterizedTest
  @CsvSource({"1", "3"})
  void displacedPatchesSeeAllOthersAsTheyWere(int ranks) throws Exception {
    int patches = 3;
    int steps = 4;
    int synchronous = 2;
    TokenLayout layout = new TokenLayout(LINE, patches / ranks, ranks);
    TokenLayout cut = new TokenLayout(LINE, patches, 1);
    run(
        ranks,
        world -> {
          try (NDManager request = Torch.newManager()) {
            DisplacedSteps displaced = new DisplacedSteps(synchronous, steps, false);
            List<Integer> own = List.of(world.rank());
            Neighbours neighbours =
                ranks == 1
                    ? neighbours(request, world, layout, true)
                    : new DisplacedNeighbours(
                        world.group(Channel.TOKENS, all(ranks)), layout, own, displaced);
            TokenSum sum =
                ranks == 1
                    ? new PatchSums(
                        request, world.group(Channel.TOKENS, own), layout, world.rank(), true)
                    : new DisplacedSum(
                        world.group(Channel.DISTRIFUSION, all(ranks)),
                        world.group(Channel.TOKENS, own),
                        layout,
                        world.rank(),
                        displaced);
            for (int step = 0; step < steps; step++) {
              displaced.begin(step);
              int now = step;
              boolean fresh = step < synchronous;
              List<PatchSpan> spans =
                  fresh || ranks > 1
                      ? List.of(layout.all())
                      : IntStream.range(0, patches).mapToObj(PatchSpan::of).toList();
              for (PatchSpan span : spans) {
                int patch = ranks > 1 ? world.rank() : span.from();
                TokenRange its = cut.gathered(PatchSpan.of(patch), List.of(0)).get(0);
                IntUnaryOperator value =
                    at -> at + 100 * (fresh || (at >= its.from() && at < its.to()) ? now : now - 1);
                for (Stretch s : seen(request, neighbours, layout, span, world, step)) {
                  assertThat(values(s.tokens())).isEqualTo(around(s, value));
                }
                assertThat(summed(request, sum, layout, span, world, step))
                    .isEqualTo(IntStream.range(0, TOKENS).map(value).sum());
              }
            }
            return 0;
          }
        });
  }

  @Test
  void aSumOverShardsIsThatOfAllTokens() throws Exception {
    TokenLayout layout = new TokenLayout(LINE, 2, 3);
    run(
        3,
        world -> {
          try (NDManager request = Torch.newManager()) {
            TokenSum sum = new FreshSum(world.group(Channel.TOKENS, all(3)), layout, world.rank());
            assertThat(summed(request, sum, layout, layout.all(), world, 1))
                .isEqualTo(TOKENS * (TOKENS - 1) / 2 + 100 * TOKENS);
            assertThat(sum.bufferBytes()).isZero();
            return 0;
          }
        });
  }

  private static void run(int ranks, TestRanks.Body<Integer> body) throws Exception {
    TestRanks.IN_PROCESS.run(ranks, body);
  }

  private static List<Integer> all(int ranks) {
    return IntStream.range(0, ranks).boxed().toList();
  }

  private static Neighbours neighbours(
      NDManager request, World world, TokenLayout layout, boolean displaced) {
    return new PatchNeighbours(
        request,
        world.group(Channel.TOKENS, all(layout.shards())),
        layout,
        layout.patches() > 1,
        displaced);
  }

  private static List<Stretch> seen(
      NDManager owner,
      Neighbours neighbours,
      TokenLayout layout,
      PatchSpan span,
      World world,
      int step) {
    return neighbours.around(owner, span, tokens(owner, layout, span, world.rank(), step), REACH);
  }

  private static double summed(
      NDManager owner, TokenSum sum, TokenLayout layout, PatchSpan span, World world, int step) {
    NDArray x = tokens(owner, layout, span, world.rank(), step);
    NDArray total =
        sum.of(owner, span, (to, part) -> Torch.slice(to, x, 1, part.from(), part.to()).sum());
    return total.getFloat();
  }

  /** (1, l, 1). */
  private static NDArray tokens(
      NDManager owner, TokenLayout layout, PatchSpan span, int shard, int step) {
    List<Float> values = new ArrayList<>();
    for (TokenRange run : layout.gathered(span, List.of(shard))) {
      for (int at = run.from(); at < run.to(); at++) {
        values.add(at + 100f * step);
      }
    }
    float[] flat = new float[values.size()];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = values.get(i);
    }
    return owner.create(flat, new Shape(1, flat.length, 1));
  }

  private static int end(TokenLayout layout, int patch) {
    return layout.gathered(PatchSpan.of(patch), List.of(layout.shards() - 1)).get(0).to();
  }

  private static List<Integer> values(NDArray tokens) {
    List<Integer> values = new ArrayList<>();
    for (float value : Pixels.floats(tokens)) {
      values.add((int) value);
    }
    return values;
  }

  /** What a stretch should have, whose own tokens and whose reach are where it says. */
  private static List<Integer> around(Stretch s, IntUnaryOperator value) {
    int from = s.first() + s.own().from();
    int to = s.first() + s.own().to();
    assertThat(s.first()).isEqualTo(Math.max(0, from - REACH));
    int end = s.first() + Math.toIntExact(s.tokens().getShape().get(1));
    assertThat(end).isLessThanOrEqualTo(Math.min(TOKENS, to + REACH));
    return IntStream.range(s.first(), end).map(value).boxed().toList();
  }
}
