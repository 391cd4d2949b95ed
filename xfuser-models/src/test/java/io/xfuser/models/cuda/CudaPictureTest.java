package io.xfuser.models.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.Gpus;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Pictures drawn on GPUs; ranks that are more than there are GPUs share them. */
@Tag("gpu")
class CudaPictureTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final double TOLERANCE = 1e-4;

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(64, 64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .build();

  private static RuntimeConfig on(String device) {
    return RuntimeConfig.builder().device(device).build();
  }

  private static float[] draw(String model, RuntimeConfig runtime, ParallelConfig degrees) {
    Path directory = FIXTURES.resolve(model);
    EngineConfig engine =
        EngineConfig.builder(directory).runtime(runtime).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(FOX)) {
      for (RankReport rank : generation.report().ranks()) {
        assertThat(rank.device())
            .startsWith(runtime.device().kind().name().toLowerCase(Locale.ROOT));
      }
      return generation.tensor().toFloatArray();
    }
  }

  private static void close(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i]).isCloseTo(expected[i], within(TOLERANCE));
    }
  }

  @Test
  void aGpuDrawsWhatTheCpuDraws() {
    close(
        draw("pixart_sigma_tiny", on("cuda:0"), ParallelConfig.serial()),
        draw("pixart_sigma_tiny", on("cpu"), ParallelConfig.serial()));
  }

  static Stream<ParallelConfig> degrees() {
    ParallelConfig serial = ParallelConfig.serial();
    return Stream.of(
        serial.toBuilder().ulyssesDegree(2).build(),
        serial.toBuilder().ringDegree(2).build(),
        serial.toBuilder().cfgDegree(2).build(),
        serial.toBuilder().tensorDegree(2).build(),
        serial.toBuilder().ulyssesDegree(2).ringDegree(2).cfgDegree(2).build());
  }

  @ParameterizedTest
  @MethodSource("degrees")
  void ranksThatShareAGpuDrawWhatOneDraws(ParallelConfig degrees) {
    float[] expected = draw("pixart_sigma_tiny", on("cuda:0"), ParallelConfig.serial());
    close(draw("pixart_sigma_tiny", on("cuda:0"), degrees), expected);
    close(draw("pixart_sigma_tiny", on("cuda"), degrees), expected); // a GPU each where there are
  }

  @ParameterizedTest
  @EnumSource(
      value = Offload.class,
      names = {"MODEL", "SEQUENTIAL"})
  void weightsThatLeaveTheGpuChangeNothing(Offload offload) {
    close(
        draw(
            "pixart_sigma_tiny",
            on("cuda:0").toBuilder().offload(offload).build(),
            ParallelConfig.serial()),
        draw("pixart_sigma_tiny", on("cuda:0"), ParallelConfig.serial()));
  }

  @Test
  void autoTakesAGpu() {
    assertThat(Gpus.found().count()).isPositive();
    draw("pixart_sigma_tiny", on("cuda"), ParallelConfig.serial());
  }
}
