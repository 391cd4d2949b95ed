package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Laws 2, 3 and 5 over combinations of degrees up to 8 ranks, in-process, that {@link
 * LayoutDeal#covering} chooses (all combinations with the profile {@code complete}): a model's test
 * extends this with a tiny pipeline whose blocks, heads and tokens do not divide evenly. The ranks
 * share the decoding in every fourth layout and a T5 in every third. Differences are maximum
 * absolute differences of pixels in [0, 1], or of latents over the largest of them, fp32.
 */
public abstract class ParallelContract extends OpenedOnce {
  private static final int MAX_RANKS = 8;
  private static final List<Integer> PATCHES = List.of(1, 2, 3, 5, 8);

  /** What every tiny pipeline has at least, so that all choose among the same layouts. */
  private static final int TOKENS = 24;

  /** Steps of a generation here, or one more than there are. */
  protected static final int STEPS = 3;

  private final NDManager manager = Torch.newManager();
  private final Map<Request, NDArray> references = new HashMap<>();

  /** At least two pictures of different prompts, {@link #STEPS} steps, an odd number of tokens. */
  protected abstract InputConfig input();

  @AfterAll
  void forget() {
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
  private Stream<Layout> hybrids() {
    int heads = pipeline.model().transformer(Placement.CPU).heads();
    return Stream.of(1, 2, 3, heads)
        .distinct()
        .flatMap(
            tensor -> degrees().map(degrees -> degrees.toBuilder().tensorDegree(tensor).build()))
        .filter(degrees -> degrees.worldSize() <= MAX_RANKS)
        .filter(degrees -> degrees.ulyssesDegree() <= heads / degrees.tensorDegree())
        .flatMap(
            degrees ->
                PATCHES.stream()
                    .filter(patches -> patches <= TOKENS / degrees.sequenceDegree())
                    .map(patches -> degrees.toBuilder().numPipelinePatch(patches).build()))
        .flatMap(
            degrees ->
                IntStream.rangeClosed(0, STEPS).mapToObj(warmup -> new Layout(degrees, warmup)));
  }

  /** Of those that there can be: prompts that are not weighed have no two branches. */
  Stream<Layout> layouts() {
    boolean guided = pipeline.model().resolve(input()).guided();
    int depth = pipeline.model().transformer(Placement.CPU).depth();
    List<Layout> all =
        Stream.of(hybrids(), DistriFusionLayouts.alone(), DistriFusionLayouts.hybrids())
            .flatMap(layouts -> layouts)
            .filter(layout -> guided || layout.degrees().cfgDegree() == 1)
            .filter(layout -> layout.degrees().pipefusionDegree() <= depth)
            .filter(layout -> !layout.equals(layout.onOneRank()))
            .toList();
    return LayoutDeal.covering(all, cuts().toList(), name());
  }

  /** By which layouts are dealt out: the directory's, or what the test adds to the model. */
  protected String name() {
    return String.valueOf(directory().getFileName());
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void ranksDrawWhatOneRankDrawsWithTheSamePatches(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(layout.tolerance());
  }

  /**
   * Two stages for places where the blocks can be cut: the first, one between, and the last, or one
   * of them, some with a step of warm-up. Nothing else passes stages where the blocks are another
   * model's.
   */
  Stream<Layout> cuts() {
    int depth = pipeline.model().transformer(Placement.CPU).depth();
    List<Integer> all = List.of(1, depth / 2, depth - 1);
    List<Integer> places = LayoutDeal.cuts(all, name());
    boolean variant = LayoutDeal.isVariant(name());
    return IntStream.range(1, depth)
        .filter(first -> CoveringArray.ALL || places.contains(first))
        .mapToObj(
            first ->
                new Layout(
                    ParallelConfig.builder()
                        .pipefusionDegree(2)
                        .numPipelinePatch(3)
                        .attnLayerNumForPp(List.of(first, depth - first))
                        .build(),
                    CoveringArray.ALL ? first % STEPS : variant ? 1 : all.indexOf(first) % 2));
  }

  @ParameterizedTest
  @MethodSource("cuts")
  void stagesMayEndAfterAnyBlock(Layout layout) {
    assertThat(difference(layout, layout.onOneRank())).isLessThanOrEqualTo(1e-5);
  }

  @Test
  void stalenessIsSeen() {
    // otherwise the laws above would hold for attention that forgets patches
    Layout pipelined = stale(layout -> layout.degrees().patches() > 1);
    Layout displaced = stale(layout -> layout.degrees().distrifusionPatches() > 1);
    assertThat(difference(pipelined, Layout.SERIAL, OutputType.LATENT)).isGreaterThan(1e-3);
    assertThat(difference(displaced, Layout.SERIAL, OutputType.LATENT)).isGreaterThan(1e-3);
    assertThat(difference(displaced, pipelined, OutputType.LATENT)).isGreaterThan(1e-3);
  }

  /** What some of the layouts are compared with, with little warm-up. */
  private Layout stale(Predicate<Layout> method) {
    return Stream.concat(cuts(), layouts())
        .filter(method)
        .map(Layout::onOneRank)
        .filter(reference -> !reference.equals(Layout.SERIAL))
        .min(Comparator.comparing(Layout::warmupSteps))
        .orElseThrow();
  }

  /** Of pixels where ranks decode together, else of latents over the largest of them. */
  private double difference(Layout layout, Layout expected) {
    return difference(
        layout, expected, layout.decodesTogether() ? OutputType.PT : OutputType.LATENT);
  }

  private double difference(Layout layout, Layout expected, OutputType type) {
    int steps = layout.steps();
    NDArray reference = reference(new Request(expected, type, steps));
    boolean isReference = layout.equals(layout.onOneRank());
    Request request = new Request(layout, type, steps);
    NDArray found = isReference ? reference(request) : generate(request);
    double scale = type == OutputType.PT ? 1 : Pixels.largest(reference);
    double difference = Pixels.largestDifference(found, reference) / scale;
    if (!isReference) {
      found.close();
    }
    return difference;
  }

  private NDArray reference(Request request) {
    return references.computeIfAbsent(request, this::generate);
  }

  private record Request(Layout layout, OutputType type, int steps) {}

  private NDArray generate(Request request) {
    Layout layout = request.layout();
    InputConfig input =
        input().toBuilder().numInferenceSteps(request.steps()).outputType(request.type()).build();
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
        Generation generation = ranks.generate(input)) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
