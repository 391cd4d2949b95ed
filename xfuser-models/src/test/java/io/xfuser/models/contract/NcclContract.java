package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.parallel.nccl.NcclSimulation;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Generations whose ranks exchange tensors as GPUs do, by a simulation of NCCL in which every send
 * has to meet its receive in order, with its type and count: with every two methods and with stale
 * patches in two to four stages, where the blocks are another model's with these alone, up to 8
 * ranks.
 */
public abstract class NcclContract extends OpenedOnce {
  private static final int STEPS = 2;

  /** At least two pictures of different prompts, an odd number of tokens. */
  protected abstract InputConfig input();

  /** What the ranks of one process brought back. */
  private record Outcome(List<float[]> tensors, List<Map<String, Long>> sentBytes) {
    private static Outcome of(List<Generation> generations) {
      List<float[]> tensors = new ArrayList<>();
      for (Generation generation : generations) {
        try (generation) {
          tensors.add(floats(generation));
        }
      }
      List<RankReport> ranks = generations.get(0).report().ranks();
      return new Outcome(tensors, ranks.stream().map(RankReport::sentBytes).toList());
    }

    private static float[] floats(Generation generation) {
      NDArray tensor;
      try {
        tensor = generation.tensor();
      } catch (IllegalStateException e) {
        return new float[0]; // of a rank that decodes nothing
      }
      return Pixels.floats(tensor);
    }
  }

  Stream<Layout> layouts() {
    List<Layout> all =
        ParallelContract.degrees()
            .flatMap(
                degrees ->
                    IntStream.range(0, 5 * STEPS)
                        .mapToObj(
                            i ->
                                new Layout(
                                    degrees.toBuilder().numPipelinePatch(1 + i / STEPS).build(),
                                    i % STEPS)))
            .toList();
    Stream<Layout> displaced =
        DistriFusionLayouts.hybrids()
            .map(layout -> new Layout(layout.degrees(), layout.warmupSteps() % STEPS));
    boolean variant = LayoutDeal.VARIANTS.contains(name());
    List<Layout> stale = CoveringArray.part(stale(), variant ? 1 : 0, 2);
    return variant && !CoveringArray.ALL
        ? stale.stream()
        : LayoutDeal.coveringBeside(stale, Stream.concat(all.stream(), displaced).toList(), name());
  }

  /**
   * More patches than stages and fewer, which wait for a synchronous step or do not; half of them,
   * which another model's has not.
   */
  private static List<Layout> stale() {
    ParallelConfig two = ParallelConfig.builder().pipefusionDegree(2).build();
    ParallelConfig three = ParallelConfig.builder().pipefusionDegree(3).build();
    ParallelConfig four = ParallelConfig.builder().pipefusionDegree(4).build();
    return List.of(
        new Layout(two.toBuilder().numPipelinePatch(5).ringDegree(2).build(), 0),
        new Layout(three.toBuilder().numPipelinePatch(4).cfgDegree(2).build(), 1),
        new Layout(three.toBuilder().numPipelinePatch(2).build(), 0),
        new Layout(four.toBuilder().numPipelinePatch(3).build(), 0));
  }

  private String name() {
    return String.valueOf(directory().getFileName());
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void ranksWithGpusDrawTheSameBitsAndCountTheSameBytes(Layout layout) throws Exception {
    check(layout, OutputType.LATENT);
  }

  /** With pictures apart, in stages or not; the others are shares of these. */
  Stream<ParallelConfig> ranksOfTheVae() {
    ParallelConfig serial = ParallelConfig.serial();
    ParallelConfig two = serial.toBuilder().pipefusionDegree(2).build();
    List<ParallelConfig> all =
        List.of(
            serial.toBuilder().vaeParallelSize(1).build(),
            serial.toBuilder().dataDegree(2).vaeParallelSize(2).build(),
            two.toBuilder().dataDegree(2).vaeParallelSize(2).build(),
            two.toBuilder().vaeParallelSize(1).build(),
            serial.toBuilder().pipefusionDegree(3).vaeParallelSize(3).build());
    return CoveringArray.part(all, LayoutDeal.VARIANTS.contains(name()) ? 1 : 2, 3).stream();
  }

  @ParameterizedTest
  @MethodSource("ranksOfTheVae")
  void ranksOfTheVaeAloneGetTheSameBits(ParallelConfig degrees) throws Exception {
    check(new Layout(degrees, 1), OutputType.PT);
  }

  private void check(Layout layout, OutputType type) throws Exception {
    int size = layout.degrees().worldSize();
    InProcessRanks plain = new InProcessRanks(size, Duration.ofSeconds(60));
    Outcome expected = generate(layout, type, rank -> new World(plain.transport(rank)));
    NcclSimulation gpus = new NcclSimulation(false);
    InProcessRanks control = new InProcessRanks(size, Duration.ofSeconds(60));
    Outcome found = generate(layout, type, rank -> gpus.world(control.transport(rank)));
    gpus.check();
    assertThat(gpus.opened() > 0).isEqualTo(size > layout.degrees().dataDegree());
    assertThat(found.sentBytes()).isEqualTo(expected.sentBytes());
    for (int rank = 0; rank < size; rank++) {
      assertThat(found.tensors().get(rank)).isEqualTo(expected.tensors().get(rank));
    }
  }

  private Outcome generate(Layout layout, OutputType type, IntFunction<World> worlds)
      throws Exception {
    EngineConfig parallel =
        engine.toBuilder()
            .parallel(layout.degrees())
            .runtime(r -> r.warmupSteps(layout.warmupSteps()))
            .build();
    InputConfig asked = input().toBuilder().numInferenceSteps(STEPS).outputType(type).build();
    return Outcome.of(
        TestRanks.together(
            layout.degrees().worldSize(),
            rank -> {
              try (World world = worlds.apply(rank);
                  XDiTParallel ranks = new XDiTParallel(pipeline, parallel, world)) {
                return ranks.generate(asked);
              }
            }));
  }
}
