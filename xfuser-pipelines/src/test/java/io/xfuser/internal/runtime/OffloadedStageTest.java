package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.Offload;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Hidden.Place;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which parts of a transformer have their weights in memory when. */
class OffloadedStageTest {
  private static final Program PROGRAM = Program.load(OffloadedStageTest.class, "offloaded.py");
  private static final int DEPTH = 3;

  private final List<String> events = Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /** A part that adds its only weight; says when it is read and when it is used. */
  private final class Adding
      implements Block<String>, Embedding<String>, Head<String>, Conditioner<String> {
    private final String name;
    private final TensorMap weights;

    Adding(String name) {
      this.name = name;
      this.weights =
          TensorMap.read(
              () -> {
                events.add("read " + name);
                try (NDManager scope = Torch.newManager()) {
                  NDArray one = Torch.empty(scope, ElementType.FLOAT32, 1);
                  Torch.memory(one).asFloatBuffer().put(1);
                  return TensorMap.of(Map.of("one", one));
                }
              });
    }

    @Override
    public TensorMap weights() {
      return weights;
    }

    private NDArray add(NDManager owner, NDArray x) {
      events.add("use " + name);
      return PROGRAM.call(owner, "add", x, weights);
    }

    @Override
    public Hidden forward(NDManager owner, Hidden x, String conditioning, BlockContext context) {
      return x.with(add(owner, x.image()));
    }

    @Override
    public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, String conditioning) {
      return add(owner, tokens);
    }

    @Override
    public NDArray predict(NDManager owner, Hidden x, String conditioning) {
      return add(owner, x.image());
    }

    @Override
    public String begin(NDManager request, ConditionInput input) {
      return "nothing";
    }

    @Override
    public String at(NDManager step, String conditioning, double timestep) {
      return conditioning;
    }
  }

  private final class Spec implements TransformerSpec<String> {
    @Override
    public int depth() {
      return DEPTH;
    }

    @Override
    public int heads() {
      return 1;
    }

    @Override
    public int headSize() {
      return 1;
    }

    @Override
    public Block<String> block(int index, Share share) {
      return new Adding("block " + index);
    }

    @Override
    public Embedding<String> embedding() {
      return new Adding("embedding");
    }

    @Override
    public Head<String> head() {
      return new Adding("head");
    }

    @Override
    public Conditioner<String> conditioner() {
      return new Adding("conditioner");
    }
  }

  /** Two passes through the stage; the parts with weights in memory after each is noted. */
  private String passes(PipelineStage<String> stage) {
    events.clear();
    World alone = new World(new InProcessRanks(1, Duration.ofSeconds(9)).transport(0));
    TokenRange tokens = new TokenRange(0, 2);
    LongSkips skips =
        new LongSkips(
            new Spec(),
            List.of(Range.of(DEPTH)),
            alone.group(Channel.SKIP, List.of(0)),
            OptionalInt.of(2));
    TensorMap.Hold inUse = stage.hold();
    try (inUse) {
      for (int pass = 0; pass < 2; pass++) {
        try (NDManager scope = Torch.newManager()) {
          NDArray x = stage.embedding().embed(scope, scope.zeros(new Shape(2)), tokens, "");
          Hidden hidden = new Hidden(x, new Place(tokens, PatchSpan.of(0)));
          List<BlockContext> contexts = Collections.nCopies(DEPTH, BlockContext.none(List.of()));
          Hidden out = stage.forward(scope, hidden, "", contexts, skips.pass(scope));
          assertThat(stage.head().predict(scope, out, "").toFloatArray()).containsOnly(DEPTH + 2);
          events.add("loaded " + loaded(stage));
        }
      }
    }
    events.add("loaded " + loaded(stage));
    return String.join(", ", events);
  }

  private static long loaded(PipelineStage<String> stage) {
    List<TensorMap> all = new ArrayList<>(stage.blocks().stream().map(Block::weights).toList());
    all.addAll(
        List.of(
            stage.conditioner().weights(), stage.embedding().weights(), stage.head().weights()));
    return all.stream().filter(TensorMap::isLoaded).count();
  }

  private PipelineStage<String> stage(Offload offload) {
    return stage(Holding.of(offload));
  }

  private PipelineStage<String> stage(Holding holding) {
    LoadedTransformer<String> transformer = new LoadedTransformer<>(new Spec());
    return PipelineStage.of(transformer, Range.of(DEPTH), Share.WHOLE, holding);
  }

  private static final String USES =
      "use embedding, use block 0, use block 1, use block 2, use head";

  @Test
  void withoutOffloadingAllWeightsAreReadOnce() {
    PipelineStage<String> stage = stage(Offload.NONE);
    assertThat(loaded(stage)).isEqualTo(DEPTH + 3);
    assertThat(passes(stage)).isEqualTo(USES + ", loaded 6, " + USES + ", loaded 6, loaded 6");
  }

  @Test
  void byModelTheyAreReadWhenFirstUsedAndReleasedTogether() {
    PipelineStage<String> stage = stage(Offload.MODEL);
    assertThat(loaded(stage)).isZero();
    assertThat(passes(stage))
        .isEqualTo(
            "use embedding, read embedding, use block 0, read block 0, use block 1, read block 1,"
                + " use block 2, read block 2, use head, read head, loaded 5, "
                + USES
                + ", loaded 5, loaded 0");
  }

  @Test
  void bySequenceNoTwoBlocksAreInMemoryTogether() {
    PipelineStage<String> stage = stage(Offload.SEQUENTIAL);
    String blocks =
        "use block 0, read block 0, use block 1, read block 1, use block 2, read block 2, ";
    assertThat(passes(stage))
        .isEqualTo(
            "use embedding, read embedding, "
                + blocks
                + "use head, read head, loaded 2, use embedding, "
                + blocks
                + "use head, loaded 2, loaded 0");
  }

  /** Reading is done by another thread, so only what was read is compared, not when. */
  @Test
  void layerwiseHalfOfThreeBlocksStayAndTheOthersComeAheadOfUse() {
    try (Prefetcher prefetcher = new Prefetcher(1 << 20)) {
      PipelineStage<String> stage = stage(new Holding(Offload.LAYERWISE, 0.5, false, prefetcher));
      assertThat(stage.blocks().stream().map(block -> block.weights().isLoaded()))
          .containsExactly(false, true, true); // floor(3 · 0.5 + 0.5) of them
      passes(stage);
      assertThat(events.stream().filter(event -> event.startsWith("read block")))
          .containsExactly("read block 0", "read block 0");
      assertThat(events).endsWith("loaded 2");
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 8, 0", "0.06, 8, 0", "0.0625, 8, 1", "0.5, 7, 4", "0.99, 8, 8", "1, 57, 57"})
  void soManyBlocksStayAtEvenDistances(double ratio, int blocks, int staying) {
    BitSet stay = new Holding(Offload.LAYERWISE, ratio, false, null).stay(blocks);
    assertThat(stay.cardinality()).isEqualTo(staying);
    List<Integer> gaps = new ArrayList<>();
    for (int i = stay.nextSetBit(0); stay.nextSetBit(i + 1) >= 0; i = stay.nextSetBit(i + 1)) {
      gaps.add(stay.nextSetBit(i + 1) - i);
    }
    assertThat(gaps.stream().distinct().count()).isLessThanOrEqualTo(2);
    assertThat(new Holding(Offload.LAYERWISE, ratio, true, null).stay(blocks).get(0)).isTrue();
  }

  @Test
  void whatIsInMemoryAtOneTimeIsWhatStaysAndTwoThatFollowOneAnother() {
    List<Long> blocks = List.of(10L, 1L, 1L, 20L);
    assertThat(new Holding(Offload.LAYERWISE, 0, false, null).atOnce(blocks)).isEqualTo(30);
    assertThat(new Holding(Offload.LAYERWISE, 0, true, null).atOnce(blocks)).isEqualTo(10 + 21);
    assertThat(new Holding(Offload.LAYERWISE, 0.5, false, null).atOnce(blocks)).isEqualTo(21 + 11);
    assertThat(new Holding(Offload.LAYERWISE, 0.75, false, null).atOnce(blocks)).isEqualTo(22 + 10);
    assertThat(new Holding(Offload.LAYERWISE, 1, false, null).atOnce(blocks)).isEqualTo(32);
    assertThat(new Holding(Offload.SEQUENTIAL, 0, false, null).atOnce(blocks)).isEqualTo(20);
  }

  @ParameterizedTest
  @EnumSource(
      value = Offload.class,
      names = {"MODEL", "SEQUENTIAL"})
  void everyPartIsReadWhenItIsMadeSoThatBrokenFilesAreFoundEarly(Offload offload) {
    PipelineStage<String> stage = stage(offload);
    assertThat(events)
        .containsExactly(
            "read block 0",
            "read block 1",
            "read block 2",
            "read conditioner",
            "read embedding",
            "read head");
    assertThat(stage.parameterBytes()).isEqualTo(4 * (DEPTH + 3));
  }
}
