package io.xfuser.models.hunyuandit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
    patchSerial = generate(small(), SERIAL.withPatches(4), 1);
    rescaled = generate(rescaledInput(), SERIAL, 1);
  }

  @AfterAll
  void close() {
    pipeline.close();
    manager.close();
  }

  /** Every way to share eight blocks among two, three or four stages. */
  static Stream<List<Integer>> splits() {
    return IntStream.range(1, 1 << (DEPTH - 1))
        .filter(cuts -> Integer.bitCount(cuts) < 4)
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
        SERIAL.withPipefusion(lengths.size()).withAttnLayerNumForPp(lengths).withPatches(4);
    NDArray pixels = generate(small(), stages, 1);
    assertThat(Pixels.largestDifference(pixels, patchSerial)).isLessThanOrEqualTo(1e-5);
  }

  static Stream<ParallelConfig> synchronous() {
    return Stream.of(
        SERIAL.withUlysses(2),
        SERIAL.withUlysses(4),
        SERIAL.withRing(3),
        SERIAL.withUlysses(2).withRing(2),
        SERIAL.withCfg(2),
        SERIAL.withCfg(2).withUlysses(2).withRing(2),
        SERIAL.withPipefusion(3).withPatches(1),
        SERIAL.withPipefusion(2).withCfg(2).withUlysses(2).withPatches(1),
        SERIAL.withData(2).withRing(2));
  }

  @ParameterizedTest
  @MethodSource("synchronous")
  void guidanceRescaleEqualsSerial(ParallelConfig degrees) {
    NDArray pixels = generate(rescaledInput(), degrees, 1);
    assertThat(Pixels.largestDifference(pixels, rescaled)).isLessThanOrEqualTo(1e-4);
  }

  @Test
  void guidanceRescaleIsSeen() {
    NDArray without = generate(input(0), SERIAL, 1);
    assertThat(Pixels.largestDifference(without, rescaled)).isGreaterThan(1e-2);
  }

  @Test
  void guidanceRescaleAndStalePatchesAreRefusedTogether() {
    ParallelConfig stale = SERIAL.withPipefusion(2).withPatches(4);
    assertThatThrownBy(() -> generate(rescaledInput(), stale, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "guidance_rescale needs the whole prediction, but PipeFusion has 4 patches after 1 of 3 steps");
    NDArray warm = generate(rescaledInput(), stale, STEPS); // nothing is stale
    assertThat(Pixels.largestDifference(warm, rescaled)).isLessThanOrEqualTo(1e-4);
  }

  @Test
  void ranksOfDistriFusionRescaleTheWholePrediction() {
    ParallelConfig three = SERIAL.withDistrifusion(3);
    NDArray warm = generate(rescaledInput(), three.withUlysses(2), STEPS);
    assertThat(Pixels.largestDifference(warm, rescaled)).isLessThanOrEqualTo(1e-4);
    NDArray stale = generate(rescaledInput(), three, 1); // each step has a fresh prediction of all
    NDArray inShards = generate(rescaledInput(), three.withRing(2), 1);
    assertThat(Pixels.largestDifference(inShards, stale)).isLessThanOrEqualTo(1e-4);
    assertThatThrownBy(() -> generate(rescaledInput(), SERIAL.withDistrifusionPatches(3), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "guidance_rescale needs the whole prediction, but DistriFusion on one rank has 3 patches after 1 of 3 steps");
  }

  private static InputConfig small() {
    return InputConfig.of("a red fox")
        .withSize(48, 80)
        .withSteps(STEPS)
        .withResolutionBinning(false);
  }

  private static InputConfig rescaledInput() {
    return input(0.7);
  }

  private static InputConfig input(double rescale) {
    return HunyuanDiTInputs.two().withSteps(STEPS).toBuilder()
        .guidanceScale(5.0)
        .guidanceRescale(rescale)
        .build();
  }

  private NDArray generate(InputConfig input, ParallelConfig degrees, int warmup) {
    EngineConfig parallel = engine.withParallel(degrees).withWarmupSteps(warmup);
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, parallel);
        Generation generation = ranks.generate(input.withOutputType(OutputType.PT))) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
