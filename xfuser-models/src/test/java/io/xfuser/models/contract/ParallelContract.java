package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Laws 2, 3 and 5 over combinations of degrees up to 8 ranks, in-process, that {@link
 * Layout#covering} chooses (all combinations with the profile {@code all-layouts}): a model's test
 * extends this with a tiny pipeline whose blocks, heads and tokens do not divide evenly. The ranks
 * share the decoding in every other layout and a T5 in every third. Differences are maximum
 * absolute differences of pixels in [0, 1], fp32.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class ParallelContract {
  private static final int MAX_RANKS = 8;
  private static final List<Integer> PATCHES = List.of(1, 2, 3, 5, 8);

  /** Steps of every generation here. */
  protected static final int STEPS = 3;

  private final NDManager manager = Torch.newManager();
  private final Map<Layout, NDArray> references = new HashMap<>();
  private EngineConfig engine = EngineConfig.of(Path.of("."));
  private DiffusionPipeline pipeline;

  /** The pipeline's directory. */
  protected abstract Path directory();

  /** The tiny pipelines of this one's transformer, which share out the layouts. */
  protected List<String> siblings() {
    return List.of(String.valueOf(directory().getFileName()));
  }

  /** At least two pictures of different prompts, {@link #STEPS} steps, an odd number of tokens. */
  protected abstract InputConfig input();

  @BeforeAll
  void open() {
    engine = EngineConfig.of(directory());
    pipeline = DiffusionPipeline.fromPretrained(engine.model());
  }

  @AfterAll
  void close() {
    pipeline.close();
    manager.close();
  }

  static Stream<ParallelConfig> degrees() {
    return range(2)
        .flatMap(
            dp ->
                range(2)
                    .flatMap(
                        cfg ->
                            range(4)
                                .flatMap(
                                    pp ->
                                        range(4)
                                            .flatMap(
                                                ring ->
                                                    range(4)
                                                        .map(
                                                            u ->
                                                                ParallelConfig.builder()
                                                                    .dataDegree(dp)
                                                                    .cfgDegree(cfg)
                                                                    .pipefusionDegree(pp)
                                                                    .ringDegree(ring)
                                                                    .ulyssesDegree(u)
                                                                    .build())))))
        .filter(degrees -> degrees.worldSize() <= MAX_RANKS);
  }

  private static Stream<Integer> range(int last) {
    return IntStream.rangeClosed(1, last).boxed();
  }

  /** Every combination with every number of patches, fresh and stale, and blocks in shares. */
  Stream<Layout> hybrids() {
    int tokens = pipeline.model().resolve(input()).latents().axes().tokens();
    int heads = pipeline.model().transformer(Placement.CPU).heads();
    List<Layout> all =
        Stream.of(1, 2, 3, heads)
            .distinct()
            .flatMap(
                tensor ->
                    degrees().map(degrees -> degrees.toBuilder().tensorDegree(tensor).build()))
            .filter(degrees -> degrees.worldSize() <= MAX_RANKS)
            .filter(degrees -> degrees.ulyssesDegree() <= heads / degrees.tensorDegree())
            .flatMap(
                degrees ->
                    PATCHES.stream()
                        .filter(patches -> patches <= tokens / degrees.sequenceDegree())
                        .flatMap(
                            patches ->
                                layouts(degrees.toBuilder().numPipelinePatch(patches).build())))
            .toList();
    return covering(all);
  }

  Stream<Layout> pipelines() {
    List<Layout> all =
        range(4)
            .flatMap(
                pp ->
                    PATCHES.stream()
                        .flatMap(
                            patches ->
                                layouts(
                                    ParallelConfig.builder()
                                        .pipefusionDegree(pp)
                                        .numPipelinePatch(patches)
                                        .build())))
            .toList();
    return covering(all);
  }

  private static Stream<Layout> layouts(ParallelConfig degrees) {
    return IntStream.rangeClosed(0, STEPS).mapToObj(warmup -> new Layout(degrees, warmup));
  }

  private Stream<Layout> covering(List<Layout> all) {
    return Layout.covering(all, siblings(), String.valueOf(directory().getFileName()));
  }

  @ParameterizedTest
  @MethodSource("hybrids")
  void hybridsEqualTheirPatchesOnOneRank(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(1e-4);
  }

  @ParameterizedTest
  @MethodSource("pipelines")
  void pipelinesEqualPatchSerialOnOneRank(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(1e-5);
  }

  /** Two stages for each place where the blocks can be cut. */
  Stream<Layout> cuts() {
    int depth = pipeline.model().transformer(Placement.CPU).depth();
    return IntStream.range(1, depth)
        .mapToObj(
            first ->
                new Layout(
                    ParallelConfig.builder()
                        .pipefusionDegree(2)
                        .numPipelinePatch(3)
                        .attnLayerNumForPp(List.of(first, depth - first))
                        .build(),
                    first % STEPS));
  }

  @ParameterizedTest
  @MethodSource("cuts")
  void stagesMayEndAfterAnyBlock(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(1e-5);
  }

  Stream<Layout> displacedAlone() {
    return covering(DistriFusionLayouts.alone().toList());
  }

  @ParameterizedTest
  @MethodSource("displacedAlone")
  void distriFusionEqualsItsPatchesOnOneRank(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(1e-5);
  }

  Stream<Layout> displaced() {
    return covering(DistriFusionLayouts.hybrids().toList());
  }

  @ParameterizedTest
  @MethodSource("displaced")
  void distriFusionHybridsEqualItsPatchesOnOneRank(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(1e-4);
  }

  @Test
  void stalenessIsSeen() {
    // otherwise the laws above would hold for attention that forgets patches
    Layout pipelined = new Layout(ParallelConfig.builder().numPipelinePatch(4).build(), 0);
    assertThat(difference(pipelined, Layout.SERIAL)).isGreaterThan(1e-2);
    Layout displaced = new Layout(ParallelConfig.builder().numDistrifusionPatch(4).build(), 1);
    assertThat(difference(displaced, Layout.SERIAL)).isGreaterThan(1e-3);
    assertThat(difference(displaced, new Layout(pipelined.degrees(), 1))).isGreaterThan(1e-3);
  }

  private double difference(Layout layout, Layout expected) {
    NDArray reference = references.computeIfAbsent(expected, this::generate);
    NDArray pixels = generate(layout);
    try {
      return Pixels.largestDifference(pixels, reference);
    } finally {
      pixels.close();
    }
  }

  private NDArray generate(Layout layout) {
    boolean encodedTogether =
        layout.encodesTogether() && !pipeline.model().shareableTextEncoders().isEmpty();
    EngineConfig parallel =
        engine.toBuilder()
            .runtime(
                engine.runtime().toBuilder()
                    .useParallelVae(layout.decodesTogether())
                    .shardTextEncoder(encodedTogether)
                    .build())
            .parallel(layout.degrees())
            .runtime(r -> r.warmupSteps(layout.warmupSteps()))
            .build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, parallel);
        Generation generation =
            ranks.generate(input().toBuilder().outputType(OutputType.PT).build())) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
