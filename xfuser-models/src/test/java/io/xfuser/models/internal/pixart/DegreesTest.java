package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.ParallelConfigBuilder;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.XDiTParallel;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Degrees that a transformer of six heads cannot have. */
class DegreesTest {
  private static final Path SIGMA = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          7 | 1 | tensor_parallel_degree is 7, too many for 6 attention heads
          1 | 7 | ulysses_degree is 7, too many for 6 attention heads
          2 | 4 | ulysses_degree is 4, too many for 3 attention heads (6 over tensor_parallel_degree 2)
          4 | 2 | ulysses_degree is 2, too many for 1 attention heads (6 over tensor_parallel_degree 4)
          """)
  void moreRanksThanHeadsAreRefused(int tensor, int ulysses, String message) {
    ParallelConfig degrees =
        ParallelConfig.builder().tensorDegree(tensor).ulyssesDegree(ulysses).build();
    try (XDiTParallel ranks =
        XDiTParallel.inProcess(EngineConfig.builder(SIGMA).parallel(degrees).build())) {
      assertThatThrownBy(() -> ranks.generate(InputConfig.builder("a fox").build()))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(message);
    }
  }

  static Stream<Arguments> morePatchesThanTokensAreRefused() {
    ParallelConfigBuilder one = ParallelConfig.builder();
    return Stream.of(
        Arguments.of(one.numPipelinePatch(17).build(), "num_pipeline_patch 17 needs at least 17"),
        Arguments.of(
            one.ringDegree(6).numPipelinePatch(3).build(),
            "num_pipeline_patch 3 × ring_degree 6 needs at least 18"),
        Arguments.of(
            one.numPipelinePatch(0).ringDegree(3).ulyssesDegree(6).build(),
            "ulysses_degree 6 × ring_degree 3 needs at least 18"),
        Arguments.of(
            one.ringDegree(1).ulyssesDegree(6).pipefusionDegree(3).build(),
            "pipefusion_parallel_degree 3 × ulysses_degree 6 needs at least 18"),
        Arguments.of(
            ParallelConfig.builder().numDistrifusionPatch(17).build(),
            "num_distrifusion_patch 17 needs at least 17"),
        Arguments.of(
            ParallelConfig.builder().distrifusionDegree(17).build(),
            "distrifusion_degree 17 needs at least 17"));
  }

  @ParameterizedTest
  @MethodSource
  void morePatchesThanTokensAreRefused(ParallelConfig degrees, String message) {
    InputConfig small =
        InputConfig.builder("a fox").size(64, 64).useResolutionBinning(false).build();
    try (XDiTParallel ranks =
        XDiTParallel.inProcess(EngineConfig.builder(SIGMA).parallel(degrees).build())) {
      assertThatThrownBy(() -> ranks.check(small))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(message + " tokens, but the picture has 16");
    }
  }

  static Stream<Arguments> guidanceThatIsNotThereCannotBeShared() {
    InputConfig fox = InputConfig.builder("a fox").build();
    InputConfig weighed = fox.toBuilder().set(InputConfig.TRUE_CFG_SCALE, 2.0).build();
    return Stream.of(
        Arguments.of(
            "pixart_sigma_tiny", fox.toBuilder().guidanceScale(1).build(), "guidance_scale is 1.0"),
        Arguments.of("flux_dev_tiny", fox, "the model is told guidance_scale itself"),
        Arguments.of(
            "flux_dev_tiny", weighed, "it comes of true_cfg_scale above 1 with negative_prompt"));
  }

  @ParameterizedTest
  @MethodSource
  void guidanceThatIsNotThereCannotBeShared(String model, InputConfig input, String why) {
    ParallelConfig halves = ParallelConfig.builder().cfgDegree(2).build();
    EngineConfig engine =
        EngineConfig.builder(SIGMA.resolveSibling(model)).parallel(halves).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      assertThatThrownBy(() -> ranks.check(input))
          .isInstanceOf(ArgumentException.class)
          .hasMessage("use_cfg_parallel needs guidance, of which this request has none: " + why);
    }
  }
}
