package io.xfuser.models.internal.hunyuandit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What long skips and guidance rescale add to the laws that every model obeys. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HunyuanDiTStagesTest {
  private static final Path DIRECTORY = Path.of("src/test/resources/fixtures/hunyuandit12_tiny");
  private static final int DEPTH = 8;
  private static final int STEPS = 3;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private final NDManager manager = Torch.newManager();
  private final EngineConfig engine = EngineConfig.of(DIRECTORY);
  private DiffusionPipeline pipeline;
  private NDArray patchSerial;
  private NDArray rescaled;

  @BeforeAll
  void open() {
    pipeline = DiffusionPipeline.fromPretrained(engine.model());
    patchSerial = generate(small(), SERIAL.toBuilder().numPipelinePatch(4).build(), 1);
    rescaled = generate(rescaledInput(), SERIAL, 1);
  }

  @AfterAll
  void close() {
    pipeline.close();
    manager.close();
  }

  /** Every way to share eight blocks among two stages, and some among three or four. */
  static Stream<List<Integer>> splits() {
    return IntStream.range(1, 1 << (DEPTH - 1))
        .filter(cuts -> Integer.bitCount(cuts) < 4)
        .filter(cuts -> CoveringArray.ALL || Integer.bitCount(cuts) == 1 || cuts % 22 == 0)
        .mapToObj(HunyuanDiTStagesTest::lengths);
  }

  private static List<Integer> lengths(int cuts) {
    List<Integer> lengths = new ArrayList<>();
    int from = 0;
    for (int block = 1; block <= DEPTH; block++) {
      if (block == DEPTH || (cuts >> (block - 1) & 1) == 1) {
        lengths.add(block - from);
        from = block;
      }
    }
    return lengths;
  }

  @ParameterizedTest
  @MethodSource("splits")
  void everySplitEqualsPatchSerial(List<Integer> lengths) {
    ParallelConfig stages =
        SERIAL.toBuilder()
            .pipefusionDegree(lengths.size())
            .attnLayerNumForPp(lengths)
            .numPipelinePatch(4)
            .build();
    NDArray pixels = generate(small(), stages, 1);
    assertThat(apart(pixels, patchSerial)).isLessThanOrEqualTo(1e-5);
  }

  static Stream<ParallelConfig> synchronous() {
    List<ParallelConfig> all =
        List.of(
            SERIAL.toBuilder().ulyssesDegree(4).build(),
            SERIAL.toBuilder().ringDegree(3).build(),
            SERIAL.toBuilder().cfgDegree(2).build(),
            SERIAL.toBuilder().cfgDegree(2).ulyssesDegree(2).ringDegree(2).build(),
            SERIAL.toBuilder().pipefusionDegree(3).numPipelinePatch(1).build(),
            SERIAL.toBuilder()
                .pipefusionDegree(2)
                .cfgDegree(2)
                .ulyssesDegree(2)
                .numPipelinePatch(1)
                .build(),
            SERIAL.toBuilder().dataDegree(2).ringDegree(2).build());
    return CoveringArray.part(all, 3, 4).stream();
  }

  @ParameterizedTest
  @MethodSource("synchronous")
  void guidanceRescaleEqualsSerial(ParallelConfig degrees) {
    NDArray pixels = generate(rescaledInput(), degrees, 1);
    assertThat(apart(pixels, rescaled)).isLessThanOrEqualTo(1e-4);
  }

  @Test
  void guidanceRescaleIsSeen() {
    NDArray without = generate(input(0), SERIAL, 1);
    assertThat(apart(without, rescaled)).isGreaterThan(1e-2);
  }

  @Test
  void guidanceRescaleAndStalePatchesAreRefusedTogether() {
    ParallelConfig stale = SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(4).build();
    assertThatThrownBy(() -> generate(rescaledInput(), stale, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "guidance_rescale needs the whole prediction, but PipeFusion has 4 patches after 1 of 3"
                + " steps");
    NDArray warm = generate(rescaledInput(), stale, STEPS); // nothing is stale
    assertThat(apart(warm, rescaled)).isLessThanOrEqualTo(1e-4);
  }

  @Test
  void ranksOfDistriFusionRescaleTheWholePrediction() {
    ParallelConfig two = SERIAL.toBuilder().distrifusionDegree(2).build();
    NDArray warm = generate(rescaledInput(), two.toBuilder().ulyssesDegree(2).build(), STEPS);
    assertThat(apart(warm, rescaled)).isLessThanOrEqualTo(1e-4);
    NDArray stale = generate(rescaledInput(), two, 1); // each step has a fresh prediction of all
    NDArray inShards = generate(rescaledInput(), two.toBuilder().ringDegree(2).build(), 1);
    assertThat(apart(inShards, stale)).isLessThanOrEqualTo(1e-4);
    assertThatThrownBy(
            () -> generate(rescaledInput(), SERIAL.toBuilder().numDistrifusionPatch(3).build(), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "guidance_rescale needs the whole prediction, but DistriFusion on one rank has 3"
                + " patches after 1 of 3 steps");
  }

  /** Over the largest of the latents. */
  private static double apart(NDArray found, NDArray expected) {
    return Pixels.largestDifference(found, expected) / Pixels.largest(expected);
  }

  private static InputConfig small() {
    return InputConfig.builder("a red fox")
        .size(48, 80)
        .numInferenceSteps(STEPS)
        .useResolutionBinning(false)
        .build();
  }

  private static InputConfig rescaledInput() {
    return input(0.7);
  }

  private static InputConfig input(double rescale) {
    return HunyuanDiTInputs.two().toBuilder().numInferenceSteps(STEPS).build().toBuilder()
        .guidanceScale(5.0)
        .guidanceRescale(rescale)
        .build();
  }

  private NDArray generate(InputConfig input, ParallelConfig degrees, int warmup) {
    EngineConfig parallel =
        engine.toBuilder().parallel(degrees).runtime(r -> r.warmupSteps(warmup)).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, parallel);
        Generation generation =
            ranks.generate(input.toBuilder().outputType(OutputType.LATENT).build())) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
