package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two prompts of unequal length in one batch: by every strategy and kernel each row's tokens attend
 * the whole sequence but the padding of its own prompt. All steps have the same tokens, so that
 * what is stale is right too.
 */
class TextMaskTest {
  private static final Program TENSORS = Program.load(Torch.class, "half_precision_test.py");
  private static final int STEPS = 2;
  private static final int TEXT = 600; // more than one block of a fused kernel, all of it padding
  private static final int[][] KEPT = {{0, 3}, {580, 600}}; // of each row, padded right and left
  private static final Sequence SEQUENCE =
      new Sequence(List.of(new Axes(1, 3, 7), new Axes(1, 2, 4)));
  private static final int IMAGE = SEQUENCE.tokens();

  /** How the sequence is shared out. */
  enum Strategy {
    LOCAL(1, 1, 1),
    ULYSSES(1, 3, 1),
    RING(1, 1, 3),
    ULYSSES_AND_RING(1, 2, 2),
    PIPEFUSION(4, 1, 1),
    PIPEFUSION_WITH_ULYSSES_AND_RING(3, 2, 2),
    DISTRIFUSION(1, 1, 1, 3),
    DISTRIFUSION_WITH_ULYSSES_AND_RING(1, 2, 2, 2),
    DISTRIFUSION_ON_ONE_RANK(3, 1, 1);

    final int patches;
    final int ulysses;
    final int ring;
    final int displaced;

    Strategy(int patches, int ulysses, int ring) {
      this(patches, ulysses, ring, 1);
    }

    Strategy(int patches, int ulysses, int ring, int displaced) {
      this.patches = patches;
      this.ulysses = ulysses;
      this.ring = ring;
      this.displaced = displaced;
    }

    TokenLayout layout() {
      return new TokenLayout(SEQUENCE, patches, ranks());
    }

    int ranks() {
      return ulysses * ring * displaced;
    }

    Attention attention(
        NDManager request, World world, DisplacedSteps steps, AttentionKernel kernel) {
      int u = world.rank() % ulysses;
      int firstOfPatch = world.rank() / (ulysses * ring) * ulysses * ring;
      Communicator ringRanks =
          world.group(
              Channel.RING,
              IntStream.range(0, ring).mapToObj(r -> firstOfPatch + r * ulysses + u).toList());
      List<Integer> all = IntStream.range(0, ranks()).boxed().toList();
      Attention inner =
          switch (this) {
            case LOCAL, ULYSSES -> new LocalAttention(kernel);
            case RING, ULYSSES_AND_RING -> new RingAttention(ringRanks, kernel);
            case DISTRIFUSION_ON_ONE_RANK ->
                new DisplacedPatches(request, layout(), all, ringRanks, kernel);
            case DISTRIFUSION, DISTRIFUSION_WITH_ULYSSES_AND_RING ->
                new DisplacedAttention(
                    world.group(
                        Channel.DISTRIFUSION,
                        IntStream.range(0, displaced)
                            .mapToObj(i -> i * ulysses * ring + world.rank() - firstOfPatch)
                            .toList()),
                    ringRanks,
                    steps,
                    kernel);
            default -> new PatchAttention(request, layout(), all, ringRanks, kernel);
          };
      int first = world.rank() - u;
      List<Integer> shards = IntStream.range(first, first + ulysses).boxed().toList();
      return ulysses == 1
          ? inner
          : new UlyssesAttention(world.group(Channel.ULYSSES, shards), layout(), shards, inner);
    }

    /** The ranks of the first patch share it out. */
    TextTokens text(int rank, PatchSpan span) {
      return span.from() == 0 && rank < ulysses * ring
          ? new TextTokens(TEXT, 0, rank, ulysses * ring)
          : TextTokens.NONE;
    }
  }

  static Stream<Arguments> strategies() {
    return Stream.of(Strategy.values())
        .flatMap(
            strategy ->
                Stream.of(
                        AttentionKernel.FASTEST,
                        AttentionKernel.SDPA,
                        AttentionKernel.SDPA_FLASH,
                        AttentionKernel.SDPA_MATH)
                    .map(kernel -> Arguments.of(strategy, kernel)));
  }

  /** Every other one: each strategy and each kernel has both kinds of masks. */
  private static Stream<Arguments> half(boolean weighed) {
    return strategies().filter(pair -> isDealt(pair) == weighed);
  }

  private static boolean isDealt(Arguments pair) {
    Strategy strategy = (Strategy) pair.get()[0];
    AttentionKernel kernel = (AttentionKernel) pair.get()[1];
    return (strategy.ordinal() + kernel.ordinal()) % 2 == 1;
  }

  static Stream<Arguments> padded() {
    return half(false);
  }

  static Stream<Arguments> weighed() {
    return half(true);
  }

  @ParameterizedTest
  @MethodSource("padded")
  void noRowAttendsThePaddingOfItsPrompt(Strategy strategy, AttentionKernel kernel)
      throws Exception {
    assertAttends(strategy, kernel, false);
  }

  /** What is added to a score is the product of both tokens' weights. */
  @ParameterizedTest
  @MethodSource("weighed")
  void tokensAttendByTheirWeights(Strategy strategy, AttentionKernel kernel) throws Exception {
    assertAttends(strategy, kernel, true);
  }

  @Tag("complete")
  @ParameterizedTest
  @MethodSource("strategies")
  void theOtherHalfDoesSoToo(Strategy strategy, AttentionKernel kernel) throws Exception {
    assertAttends(strategy, kernel, !isDealt(Arguments.of(strategy, kernel)));
  }

  private static void assertAttends(Strategy strategy, AttentionKernel kernel, boolean weighed)
      throws Exception {
    List<Double> differences =
        TestRanks.IN_PROCESS.run(
            strategy.ranks(),
            world -> {
              try (NDManager manager = Torch.newManager()) {
                return largestDifference(manager, strategy, world, kernel, weighed);
              }
            });
    assertThat(Collections.max(differences)).isLessThan(1e-5);
  }

  private static double largestDifference(
      NDManager manager, Strategy strategy, World world, AttentionKernel kernel, boolean weighed) {
    NDArray packed = // (2, T + L, 3, H, D)
        TENSORS.call(manager, "random", new long[] {2, TEXT + IMAGE, 3, 3, 4}, 7, 6);
    NDArray mask = weighed ? TENSORS.call(manager, "weights", mask(manager)) : mask(manager);
    NDArray expected = // (2, T + L, H, D)
        weighed
            ? TENSORS.call(manager, "weighed_equation", packed, mask)
            : expected(manager, packed);
    TokenLayout layout = strategy.layout();
    DisplacedSteps steps = new DisplacedSteps(1, STEPS, false);
    Attention attention = strategy.attention(manager, world, steps, kernel);
    double worst = 0;
    for (int step = 0; step < STEPS; step++) {
      steps.begin(step);
      for (PatchSpan span : step == 0 ? List.of(layout.all()) : patches(layout)) {
        TextTokens text = strategy.text(world.rank(), span);
        long[] own = own(layout, world.rank(), span, text);
        Qkv qkv = new Qkv(Patchify.select(manager, packed, own), text, mask, span);
        NDArray found = attention.attend(manager, qkv);
        worst =
            Math.max(
                worst,
                TENSORS.callDouble(
                    "difference",
                    List.of(found),
                    List.of(Patchify.select(manager, expected, own))));
      }
    }
    return worst;
  }

  private static List<PatchSpan> patches(TokenLayout layout) {
    return IntStream.range(0, layout.patches()).mapToObj(PatchSpan::of).toList();
  }

  /** The rows of the text that goes with these patches, and of the rank's image tokens. */
  private static long[] own(TokenLayout layout, int shard, PatchSpan span, TextTokens text) {
    TokenRange local = layout.local(span, shard);
    return LongStream.concat(
            LongStream.range(text.own().from(), text.own().to()),
            LongStream.of(layout.positions(shard))
                .skip(local.from())
                .limit(local.length())
                .map(position -> TEXT + position))
        .toArray();
  }

  /** (2, T). */
  private static NDArray mask(NDManager manager) {
    long[] mask = new long[2 * TEXT];
    for (int row = 0; row < 2; row++) {
      for (int i = KEPT[row][0]; i < KEPT[row][1]; i++) {
        mask[row * TEXT + i] = 1;
      }
    }
    return manager.create(mask, new Shape(2, TEXT));
  }

  /** Each row alone, its padding taken out of the keys. */
  private static NDArray expected(NDManager manager, NDArray packed) {
    List<NDArray> rows = new ArrayList<>();
    for (int row = 0; row < 2; row++) {
      long[] kept =
          LongStream.concat(
                  LongStream.range(KEPT[row][0], KEPT[row][1]),
                  LongStream.range(TEXT, TEXT + IMAGE))
              .toArray();
      NDArray one = Torch.slice(manager, packed, 0, row, row + 1);
      NDList all = TENSORS.callList(manager, "heads", one);
      NDList some = TENSORS.callList(manager, "heads", Patchify.select(manager, one, kept));
      rows.add(
          TENSORS
              .callList(manager, "attention_equation", all.get(0), some.get(1), some.get(2))
              .singletonOrThrow());
    }
    return Torch.concat(manager, rows, 0);
  }
}
