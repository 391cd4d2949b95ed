package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.report.RunReport;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Law 4: bytes sent, keys and values kept, and weights held are counted and equal the formulas of
 * {@code docs/methods}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class CostContract {
  /** Steps of every generation here. */
  static final int STEPS = 2;

  private DiffusionPipeline pipeline;

  /** The pipeline's directory. */
  protected abstract Path directory();

  /** The model in it, with what else it is opened with. */
  protected ModelConfig model() {
    return ModelConfig.builder(directory()).build();
  }

  /** Two pictures or videos with guidance, of at least 24 tokens each. */
  protected abstract InputConfig input();

  /** C, the hidden size. */
  protected abstract int width();

  /** T, the tokens of joint text; 0 where the model has none. */
  protected int textTokens() {
    return 0;
  }

  /** The self-attentions of block {@code index} in which text takes part. */
  protected int jointAttentions(int index) {
    return textTokens() == 0 ? 0 : 1;
  }

  /** Tokens of a picture that is a prompt, attended as text is; 0 where the model has none. */
  protected int shownTokens() {
    return 0;
  }

  /** The self-attentions of block {@code index} in which such a picture takes part. */
  protected int shownAttentions(int index) {
    return 0;
  }

  /** The terms that block {@code index} adds to the image's tokens: of attentions and MLP. */
  protected int terms(int index) {
    return 3;
  }

  /** The terms that it adds to the text's tokens. */
  protected int textTerms(int index) {
    return 0;
  }

  /** Elements of a sum over all tokens, of one batch row and some heads; of models that have it. */
  protected long tokenSum(int heads) {
    return 0;
  }

  /** Of each norm over all heads of a block: how many numbers of a token shares add up. */
  protected List<Integer> squares() {
    return List.of();
  }

  /** Text tokens whose keys have such a norm, once in a request. */
  protected int squaredText() {
    return 0;
  }

  /** How far tokens look at their neighbours, of models where they do. */
  protected int reach() {
    return 0;
  }

  @BeforeAll
  void openOnce() {
    pipeline = open();
  }

  @AfterAll
  void close() {
    pipeline.close();
  }

  Stream<ParallelConfig> degrees() {
    ParallelConfig serial = ParallelConfig.serial();
    int depth = pipeline.model().transformer(Placement.CPU).depth();
    return Stream.of(
        serial,
        serial.toBuilder().ulyssesDegree(2).build(),
        serial.toBuilder().ulyssesDegree(3).build(),
        serial.toBuilder().ringDegree(2).build(),
        serial.toBuilder().ringDegree(4).build(),
        serial.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
        serial.toBuilder().ulyssesDegree(3).ringDegree(2).numPipelinePatch(4).build(),
        serial.toBuilder().cfgDegree(2).build(),
        serial.toBuilder().dataDegree(2).build(),
        serial.toBuilder().pipefusionDegree(2).numPipelinePatch(4).build(),
        serial.toBuilder().pipefusionDegree(3).numPipelinePatch(2).build(),
        serial.toBuilder().pipefusionDegree(4).build(),
        serial.toBuilder().pipefusionDegree(2).numPipelinePatch(1).build(),
        serial.toBuilder().pipefusionDegree(2).attnLayerNumForPp(List.of(2, depth - 2)).build(),
        serial.toBuilder().pipefusionDegree(2).ulyssesDegree(2).cfgDegree(2).build(),
        serial.toBuilder()
            .pipefusionDegree(2)
            .ringDegree(2)
            .dataDegree(2)
            .numPipelinePatch(3)
            .build(),
        serial.toBuilder().tensorDegree(2).build(),
        serial.toBuilder().tensorDegree(4).build(),
        serial.toBuilder().tensorDegree(3).dataDegree(2).build(),
        serial.toBuilder().tensorDegree(4).cfgDegree(2).build(),
        serial.toBuilder().tensorDegree(2).ulyssesDegree(3).build(),
        serial.toBuilder()
            .tensorDegree(2)
            .ulyssesDegree(2)
            .pipefusionDegree(2)
            .numPipelinePatch(3)
            .build(),
        serial.toBuilder().tensorDegree(3).ringDegree(2).numPipelinePatch(2).build(),
        serial.toBuilder().distrifusionDegree(2).build(),
        serial.toBuilder().distrifusionDegree(3).build(),
        serial.toBuilder().distrifusionDegree(5).build(),
        serial.toBuilder().numDistrifusionPatch(3).build(),
        serial.toBuilder().distrifusionDegree(3).ulyssesDegree(2).build(),
        serial.toBuilder().distrifusionDegree(2).ringDegree(2).dataDegree(2).build(),
        serial.toBuilder().distrifusionDegree(2).tensorDegree(2).cfgDegree(2).build(),
        serial.toBuilder().distrifusionDegree(2).ulyssesDegree(2).ringDegree(2).build());
  }

  /** The model's part of them, each with some warm-up. */
  Stream<Layout> layouts() {
    List<Layout> all =
        degrees()
            .flatMap(degrees -> warmups(degrees).map(warmup -> new Layout(degrees, warmup)))
            .toList();
    return LayoutDeal.coveringMethods(all, name());
  }

  /** By which layouts are dealt out: the directory's, or what the test adds to the model. */
  protected String name() {
    return String.valueOf(directory().getFileName());
  }

  /** The last leaves nothing stale, here and where a {@link Layout} is said to be so. */
  private static Stream<Integer> warmups(ParallelConfig degrees) {
    boolean whole = degrees.patches() * degrees.distrifusionPatches() == 1;
    return whole ? Stream.of(1) : Stream.of(0, 1, ParallelContract.STEPS);
  }

  @Test
  void stalePatchesAreCountedByEachMethodThatHasThem() {
    assertThat(layouts().filter(layout -> layout.warmupSteps() < STEPS).map(Layout::degrees))
        .anyMatch(degrees -> degrees.pipefusionDegree() > 1 && degrees.patches() > 1)
        .anyMatch(degrees -> degrees.distrifusionDegree() > 1);
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void countsEqualTheFormulas(Layout layout) {
    RunReport report = run(pipeline, layout.degrees(), layout.warmupSteps());
    ExpectedCosts expected =
        new ExpectedCosts(this, pipeline, layout.degrees(), layout.warmupSteps());
    for (RankReport rank : report.ranks()) {
      expected.check(rank);
    }
  }

  @Test
  void ranksOfOneProcessHoldEqualWeightsOnce() {
    try (DiffusionPipeline opened = open()) {
      run(opened, ParallelConfig.builder().ulyssesDegree(2).pipefusionDegree(2).build(), 1);
      long bytes = opened.transformerBytes();
      run(opened, ParallelConfig.serial(), 1);
      assertThat(bytes).isPositive().isEqualTo(opened.transformerBytes());
    }
  }

  Stream<Integer> parts() {
    return CoveringArray.part(List.of(3, 6), name().hashCode(), 2).stream();
  }

  @ParameterizedTest
  @MethodSource("parts")
  void sharesOfABlockAreEqualPartsOfItsHeadsAndNeurons(int parts) {
    TransformerSpec<?> spec = pipeline.model().transformer(Placement.CPU);
    for (int index = 0; index < spec.depth(); index++) {
      long whole = ExpectedCosts.bytes(spec, index, Share.WHOLE);
      long halves = bytes(spec, index, 2);
      long replicated = halves - whole; // what both halves have
      assertThat(bytes(spec, index, parts)).isEqualTo(whole + (parts - 1) * replicated);
      for (int part = 0; part < parts; part++) {
        double own = ExpectedCosts.bytes(spec, index, new Share(part, parts)) - replicated;
        double even = (double) (whole - replicated) / parts;
        assertThat(own).isCloseTo(even, Percentage.withPercentage(5));
      }
    }
  }

  private static long bytes(TransformerSpec<?> spec, int index, int parts) {
    return IntStream.range(0, parts)
        .mapToLong(part -> ExpectedCosts.bytes(spec, index, new Share(part, parts)))
        .sum();
  }

  private DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(model());
  }

  private RunReport run(DiffusionPipeline pipeline, ParallelConfig degrees, int warmup) {
    EngineConfig engine =
        EngineConfig.builder(directory())
            .parallel(degrees)
            .runtime(r -> r.warmupSteps(warmup))
            .build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(request())) {
      return generation.report();
    }
  }

  InputConfig request() {
    return input().toBuilder().numInferenceSteps(STEPS).outputType(OutputType.LATENT).build();
  }
}
