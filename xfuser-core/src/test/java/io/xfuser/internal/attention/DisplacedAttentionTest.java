package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.DelayedTransport;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.testing.Pixels;
import io.xfuser.testing.Tries;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who attends what of which step. Keys are equal, so attention is the mean of the values, and these
 * tell step and patch: 10^patch · (step + 1) for image tokens, −(step + 1) for text.
 */
class DisplacedAttentionTest {
  private static final int RANKS = 3;
  private static final int STEPS = 5;
  private static final int TEXT = 2;
  private static final TokenLayout PATCHES = // of 2, 2 and 3 tokens
      new TokenLayout(new Sequence(new Sequence.Axes(1, 1, 7)), RANKS, 1);
  private static final int HEAD = 4;

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void ownKeysAreFreshAndOthersThoseOfTheStepBefore(TestRanks ranks) throws Exception {
    List<List<Double>> found =
        ranks.run(
            RANKS,
            world -> {
              DisplacedSteps steps = new DisplacedSteps(2, STEPS, false);
              return attended(attention(world, steps), steps, own(world));
            });
    for (int patch = 0; patch < RANKS; patch++) {
      assertEqual(found.get(patch), expected(patch, 2));
    }
  }

  @Test
  void patchesOneAfterTheOtherOnOneRankAttendTheSame() throws Exception {
    List<Double> found =
        TestRanks.IN_PROCESS
            .run(
                1,
                world -> {
                  try (NDManager request = Torch.newManager()) {
                    Communicator alone = world.group(Channel.RING, List.of(0));
                    Attention attention =
                        new DisplacedPatches(
                            request, PATCHES, List.of(0), alone, AttentionKernel.FASTEST);
                    return attended(
                        attention,
                        new DisplacedSteps(2, STEPS, false),
                        t ->
                            t < 2
                                ? List.of(PATCHES.all())
                                : IntStream.range(0, RANKS).mapToObj(PatchSpan::of).toList());
                  }
                })
            .get(0);
    List<Double> all = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      for (int patch = 0; patch < (step < 2 ? 1 : RANKS); patch++) {
        all.add(expected(patch, 2).get(step));
      }
    }
    assertEqual(found, all);
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "2, 4", "4, 4", "5, 5", "9, 5"})
  void nothingIsSentThatNobodyReads(int synchronous, int sent) throws Exception {
    List<Long> bytes =
        TestRanks.IN_PROCESS.run(
            RANKS,
            world -> {
              DisplacedSteps steps = new DisplacedSteps(synchronous, STEPS, false);
              Attention attention = attention(world, steps);
              attended(attention, steps, own(world));
              long whole = 4L * 2 * HEAD * (TEXT + PATCHES.tokens());
              assertThat(attention.bufferBytes()).isEqualTo(synchronous < STEPS ? whole : 0);
              return world.counter().sent(Channel.DISTRIFUSION);
            });
    long each = 4L * 2 * HEAD * (RANKS - 1) * sent; // bytes of a token's key and value, to all
    assertThat(bytes).containsExactly(each * (TEXT + 2), each * 2, each * 3);
  }

  @Test
  void aCallAfterTheLastStepIsAnError() throws Exception {
    TestRanks.IN_PROCESS.run(
        RANKS,
        world -> {
          DisplacedSteps steps = new DisplacedSteps(1, STEPS, false);
          Attention attention = attention(world, steps);
          attended(attention, steps, own(world));
          try (NDManager manager = Torch.newManager()) {
            assertThatThrownBy(
                    () -> attention.attend(manager, qkv(manager, PatchSpan.of(world.rank()), 0)))
                .hasMessage("nothing was sent before step 5 of 5");
          }
          return 0;
        });
    assertThatThrownBy(() -> new DisplacedSteps(0, 5, false))
        .hasMessage("0 synchronous of 5 steps; both must be at least 1");
  }

  /** Steps 2 and 4 are spared, and 1 is the last of the synchronous ones. */
  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void whatASparedStepLeavesIsAttendedInTheNextOneOrEnded(TestRanks ranks) throws Exception {
    List<List<Double>> found =
        ranks.run(
            RANKS,
            world -> {
              DisplacedSteps steps = new DisplacedSteps(2, STEPS, true);
              Attention attention = attention(world, steps);
              List<Double> attended =
                  attended(
                      attention,
                      steps,
                      t -> t % 2 == 1 || t == 0 ? own(world).apply(t) : List.of());
              steps.end();
              try (NDManager manager = Torch.newManager()) {
                NDArray own = manager.create(new float[] {world.rank()});
                NDList all = // nothing of what was left arrives in its place
                    world
                        .group(Channel.DISTRIFUSION, List.of(0, 1, 2))
                        .startAllGather(own)
                        .await(manager);
                assertThat(all).extracting(x -> x.toFloatArray()[0]).containsExactly(0f, 1f, 2f);
              }
              return attended;
            });
    for (int patch = 0; patch < RANKS; patch++) {
      List<Double> fresh = expected(patch, STEPS);
      assertEqual(found.get(patch), List.of(fresh.get(0), fresh.get(1), mean(patch, 4, 2)));
    }
  }

  /**
   * A message may be on its way for nearly a step: it is awaited at the same block of the next one.
   * Blocks take 10 ms each here, whatever the machine does beside.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void aDelayOfNearlyAStepCostsNothing(int blocks) throws Exception {
    Duration block = Duration.ofMillis(10);
    Duration delay = block.multipliedBy(blocks).minusMillis(3);
    double undelayed = Double.MAX_VALUE;
    double delayed = Double.MAX_VALUE;
    for (Tries tries = new Tries(); tries.goOn(); ) {
      undelayed = Math.min(undelayed, run(blocks, block, UnaryOperator.identity()));
      delayed = Math.min(delayed, run(blocks, block, x -> new DelayedTransport(x, delay)));
      if (delayed <= 1.1 * undelayed) {
        break;
      }
    }
    assertThat(delayed).isLessThanOrEqualTo(1.15 * undelayed);
  }

  /** Milliseconds of the slowest rank for all steps that are not synchronous. */
  private static double run(int blocks, Duration block, UnaryOperator<Transport> network)
      throws Exception {
    InProcessRanks ranks = new InProcessRanks(RANKS, Duration.ofSeconds(60));
    List<Double> times =
        TestRanks.together(
            RANKS,
            rank -> {
              Torch.prepareThread(1);
              try (World world = new World(network.apply(ranks.transport(rank)));
                  NDManager manager = Torch.newManager()) {
                DisplacedSteps steps = new DisplacedSteps(1, STEPS, false);
                List<Attention> all =
                    IntStream.range(0, blocks).mapToObj(i -> attention(world, steps)).toList();
                long start = 0;
                for (int step = 0; step < STEPS; step++) {
                  if (step == 1) {
                    world.group(Channel.WORLD, List.of(0, 1, 2)).barrier();
                    start = System.nanoTime();
                  }
                  steps.begin(step);
                  for (Attention attention : all) {
                    attention.attend(manager, qkv(manager, PatchSpan.of(rank), step));
                    Thread.sleep(block.toMillis());
                  }
                }
                return (System.nanoTime() - start) / 1e6;
              }
            });
    return Collections.max(times);
  }

  private static IntFunction<List<PatchSpan>> own(World world) {
    return t -> List.of(PatchSpan.of(world.rank()));
  }

  private static Attention attention(World world, DisplacedSteps steps) {
    return new DisplacedAttention(
        world.group(Channel.DISTRIFUSION, List.of(0, 1, 2)),
        world.group(Channel.RING, List.of(world.rank())),
        steps,
        AttentionKernel.FASTEST);
  }

  private static List<Double> attended(
      Attention attention, DisplacedSteps steps, IntFunction<List<PatchSpan>> spans) {
    List<Double> found = new ArrayList<>();
    try (NDManager manager = Torch.newManager()) {
      for (int step = 0; step < STEPS; step++) {
        steps.begin(step);
        for (PatchSpan span : spans.apply(step)) {
          NDArray out = attention.attend(manager, qkv(manager, span, step)); // (1, T' + l, 1, D)
          found.add((double) Pixels.floats(out)[0]);
        }
      }
    }
    return found;
  }

  private static Qkv qkv(NDManager manager, PatchSpan span, int step) {
    List<Double> values = new ArrayList<>();
    if (span.from() == 0) {
      values.addAll(Collections.nCopies(TEXT, -(step + 1.0)));
    }
    for (int patch = span.from(); patch < span.to(); patch++) {
      int tokens = PATCHES.length(PatchSpan.of(patch), 0);
      values.addAll(Collections.nCopies(tokens, Math.pow(10, patch) * (step + 1)));
    }
    float[] packed = new float[values.size() * 3 * HEAD]; // queries and keys are 0
    for (int token = 0; token < values.size(); token++) {
      for (int i = 0; i < HEAD; i++) {
        packed[(token * 3 + 2) * HEAD + i] = values.get(token).floatValue();
      }
    }
    try (NDManager scope = manager.newSubManager()) {
      NDArray java = scope.create(packed, new Shape(1, values.size(), 3, 1, HEAD));
      TextTokens text = span.from() == 0 ? TextTokens.whole(TEXT) : TextTokens.NONE;
      return new Qkv(Torch.copy(manager, java), text, span);
    }
  }

  /** The mean that {@code patch} gets in each step. */
  private static List<Double> expected(int patch, int synchronous) {
    List<Double> means = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      means.add(mean(patch, step + 1.0, step >= synchronous ? step : step + 1.0));
    }
    return means;
  }

  /**
   * Of {@code patch}, whose values are {@code own}-fold, while those of others are {@code seen}.
   */
  private static double mean(int patch, double own, double seen) {
    double sum = -TEXT * (patch == 0 ? own : seen);
    for (int other = 0; other < RANKS; other++) {
      double times = patch == other ? own : seen;
      sum += PATCHES.length(PatchSpan.of(other), 0) * Math.pow(10, other) * times;
    }
    return sum / (TEXT + PATCHES.tokens());
  }

  private static void assertEqual(List<Double> found, List<Double> expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(found.get(i)).as("call %d", i).isCloseTo(expected.get(i), within(1e-3));
    }
  }
}
