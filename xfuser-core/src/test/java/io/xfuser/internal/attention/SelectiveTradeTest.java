package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.TwoLevels;
import io.xfuser.internal.parallel.World;
import io.xfuser.nn.Range;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Ranks have of other nodes what these have chosen to send, as a plain equation has it. */
class SelectiveTradeTest {
  private static final Program PROGRAM = Program.load(HeadTradeTest.class, "trade_test.py");
  private static final int ROWS = 2;
  private static final int HEADS = 7;
  private static final int HEAD = 5;
  private static final int STEPS = 4;

  static Stream<Arguments> ways() {
    return Stream.of(
        Arguments.of(TestRanks.IN_PROCESS, 4, 1, 1, false),
        Arguments.of(TestRanks.IN_PROCESS, 2, 2, 1, true),
        Arguments.of(TestRanks.SOCKET, 3, 1, 1, true),
        Arguments.of(TestRanks.IN_PROCESS, 2, 2, 3, false),
        Arguments.of(TestRanks.NCCL, 2, 2, 2, true),
        Arguments.of(TestRanks.NCCL, 4, 1, 1, false));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void aRankHasTheFreshTokensOfItsNodeAndThoseThatOthersSent(
      TestRanks backend, int nodes, int ofANode, int patches, boolean valuesFirst)
      throws Exception {
    int size = nodes * ofANode;
    Sequence sequence = new Sequence(List.of(new Axes(1, 5, 7)));
    TokenLayout layout = new TokenLayout(sequence, patches, size);
    backend.run(
        size,
        world -> {
          Expected expected = new Expected(layout, ofANode);
          try (NDManager request = Torch.newManager()) {
            TwoLevels ranks = world.onNodes(Channel.ULYSSES, all(size), ofANode);
            NDArray unsent = request.create(new float[2]);
            HeadTrade trade = trade(request, ranks, layout, STEPS, valuesFirst, unsent);
            double changed = 0;
            double all = 0;
            for (int step = 0; step < STEPS; step++) {
              world.transport().step("step " + step);
              for (PatchSpan span : spans(layout, step)) {
                float[] wanted = expected.of(request, world.rank(), span, step);
                assertThat(traded(request, world, trade, layout, span, step))
                    .containsExactly(wanted);
                if (step > 0 && ranks.nodes().size() > 1) {
                  changed += expected.unsent(request, world.rank(), span, step);
                  all += expected.values(request, world.rank(), span, step);
                }
              }
              world.transport().step(null);
            }
            float[] sums = unsent.toFloatArray();
            assertThat(sums[0]).isCloseTo((float) changed, within((float) (1e-4 * all)));
            assertThat(sums[1]).isCloseTo((float) all, within((float) (1e-4 * all)));
            long tokens = layout.tokens();
            long own = layout.length(layout.all(), world.rank());
            long heads = Range.of(HEADS).shard(world.rank(), size).length();
            assertThat(trade.bufferBytes())
                .isEqualTo(4L * ROWS * HEAD * (3 * tokens * heads + own * HEADS));
          }
          return true;
        });
  }

  private static HeadTrade trade(
      NDManager request,
      TwoLevels ranks,
      TokenLayout layout,
      int steps,
      boolean valuesFirst,
      NDArray unsent) {
    return new SelectiveTrade(
        request,
        ranks,
        layout,
        all(ranks.size()),
        new SelectiveTrade.Schedule(1, 0, steps, valuesFirst),
        valuesFirst ? HeadTrade.valuesFirst(ranks) : HeadTrade.together(ranks),
        unsent);
  }

  /** The whole in the first step, then patch by patch. */
  private static List<PatchSpan> spans(TokenLayout layout, int step) {
    return step == 0
        ? List.of(layout.all())
        : IntStream.range(0, layout.patches()).mapToObj(PatchSpan::of).toList();
  }

  private static float[] traded(
      NDManager request,
      World world,
      HeadTrade trade,
      TokenLayout layout,
      PatchSpan span,
      int step) {
    try (NDManager scope = request.newSubManager()) {
      NDArray packed = tokens(scope, layout, world.rank(), span, step);
      Qkv qkv = new Qkv(packed, span);
      NDArray half = Torch.copy(scope, packed); // whose queries and keys are not done
      PROGRAM.call(scope, "undo", half);
      Qkv unfinished = new Qkv(half, span).before(() -> PROGRAM.call(scope, "redo", half));
      List<Long> lengths = UlyssesAttention.imageLengths(layout, all(world.size()), span);
      NDArray mine = trade.toHeads(scope, step % 2 == 0 ? qkv : unfinished, lengths);
      return mine.toFloatArray();
    }
  }

  /** What a rank has of {@code span} in {@code step}: (B, l, 3, H, D). */
  private static NDArray tokens(
      NDManager scope, TokenLayout layout, int rank, PatchSpan span, int step) {
    long count = layout.length(layout.all(), rank);
    NDArray all = PROGRAM.call(scope, "moved", count, (long) rank, (long) step, (long) HEAD);
    TokenRange local = layout.local(span, rank);
    return Torch.slice(scope, all, 1, local.from(), local.to());
  }

  /** By loops over tokens what the ranks of a group have of one another. */
  private static final class Expected {
    private final TokenLayout layout;
    private final int ofANode;
    private final float[][][] sent; // by rank, row and token: what other nodes have of it

    Expected(TokenLayout layout, int ofANode) {
      this.layout = layout;
      this.ofANode = ofANode;
      this.sent = new float[layout.shards()][][];
      for (int rank = 0; rank < layout.shards(); rank++) {
        int tokens = layout.length(layout.all(), rank);
        sent[rank] = new float[ROWS * tokens][3 * HEADS * HEAD];
      }
    }

    float[] of(NDManager scope, int receiver, PatchSpan span, int step) {
      List<List<float[]>> fresh = new ArrayList<>(); // by rank, row after row
      for (int rank = 0; rank < layout.shards(); rank++) {
        fresh.add(choose(scope, rank, span, step));
      }
      Range heads = Range.of(HEADS).shard(receiver, layout.shards());
      int tokensOfAll = IntStream.range(0, fresh.size()).map(i -> fresh.get(i).size()).sum();
      FloatBuffer values = FloatBuffer.allocate(tokensOfAll * 3 * heads.length() * HEAD);
      for (int row = 0; row < ROWS; row++) {
        for (int rank = 0; rank < layout.shards(); rank++) {
          int tokens = layout.length(span, rank);
          for (int token = 0; token < tokens; token++) {
            float[] whole =
                rank / ofANode == receiver / ofANode
                    ? fresh.get(rank).get(row * tokens + token)
                    : sent[rank][place(rank, span, row, token)];
            for (int part = 0; part < 3; part++) {
              int first = (part * HEADS + heads.from()) * HEAD;
              values.put(whole, first, heads.length() * HEAD);
            }
          }
        }
      }
      return values.array();
    }

    /** How far what a rank sent is from its values, all rows and tokens of {@code span}. */
    double unsent(NDManager scope, int rank, PatchSpan span, int step) {
      int tokens = layout.length(span, rank);
      List<float[]> fresh = fresh(scope, rank, span, step);
      return IntStream.range(0, fresh.size())
          .mapToDouble(
              i -> change(fresh.get(i), sent[rank][place(rank, span, i / tokens, i % tokens)]))
          .sum();
    }

    double values(NDManager scope, int rank, PatchSpan span, int step) {
      return fresh(scope, rank, span, step).stream()
          .mapToDouble(token -> change(token, new float[token.length]))
          .sum();
    }

    private List<float[]> fresh(NDManager scope, int rank, PatchSpan span, int step) {
      int width = 3 * HEADS * HEAD;
      float[] flat = tokens(scope, layout, rank, span, step).toFloatArray();
      return IntStream.range(0, ROWS * layout.length(span, rank))
          .mapToObj(i -> Arrays.copyOfRange(flat, i * width, (i + 1) * width))
          .toList();
    }

    private int place(int rank, PatchSpan span, int row, int token) {
      return row * layout.length(layout.all(), rank) + layout.local(span, rank).from() + token;
    }

    private List<float[]> choose(NDManager scope, int rank, PatchSpan span, int step) {
      int tokens = layout.length(span, rank);
      List<float[]> fresh = fresh(scope, rank, span, step);
      int count = step == 0 ? tokens : tokens - tokens * step / (STEPS - 1);
      for (int row = 0; row < ROWS; row++) {
        int first = row * tokens;
        int own = row;
        IntStream.range(0, tokens)
            .boxed()
            .sorted(
                Comparator.comparingDouble(
                    token ->
                        -change(
                            fresh.get(first + token), sent[rank][place(rank, span, own, token)])))
            .limit(count)
            .forEach(token -> sent[rank][place(rank, span, own, token)] = fresh.get(first + token));
      }
      return fresh;
    }

    private static double change(float[] now, float[] before) {
      double sum = 0;
      for (int i = 2 * HEADS * HEAD; i < now.length; i++) {
        sum += Math.abs(now[i] - before[i]);
      }
      return sum;
    }
  }

  @Test
  void nodesSendOneAnotherLittleMoreThanHalfOfQueriesKeysAndValues() throws Exception {
    int steps = 20;
    int head = 16;
    TokenLayout layout = new TokenLayout(new Sequence(List.of(new Axes(1, 16, 16))), 1, 4);
    TestRanks.IN_PROCESS.run(
        4,
        world -> {
          try (NDManager request = Torch.newManager()) {
            TwoLevels ranks = world.onNodes(Channel.ULYSSES, all(4), 2);
            NDArray unsent = request.create(new float[2]);
            HeadTrade trade = trade(request, ranks, layout, steps, false, unsent);
            List<Long> lengths = UlyssesAttention.imageLengths(layout, all(4), layout.all());
            long bytes = 0;
            for (int step = 0; step < steps; step++) {
              try (NDManager scope = request.newSubManager()) {
                NDArray x =
                    PROGRAM.call(
                        scope, "moved", 64L, (long) world.rank(), (long) step, (long) head);
                HeadTrade.together(ranks).toHeads(scope, new Qkv(x, layout.all()), lengths);
                long whole = world.counter().betweenNodes(Channel.ULYSSES) - bytes;
                trade.toHeads(scope, new Qkv(x, layout.all()), lengths);
                bytes = world.counter().betweenNodes(Channel.ULYSSES);
                if (step == 0) {
                  assertThat(bytes).isEqualTo(2 * whole);
                }
              }
            }
            long flat = flatBytes(steps, head, world.rank());
            assertThat((double) (bytes - flat) / flat).isBetween(0.45, 0.55);
          }
          return true;
        });
  }

  /** Of two ranks' tokens, the heads of one rank of the other node. */
  private static long flatBytes(int steps, int head, int rank) {
    long heads = Range.of(HEADS).shard((rank + 2) % 4, 4).length();
    return 4L * steps * ROWS * 2 * 64 * 3 * heads * head;
  }

  private static List<Integer> all(int size) {
    return IntStream.range(0, size).boxed().toList();
  }
}
