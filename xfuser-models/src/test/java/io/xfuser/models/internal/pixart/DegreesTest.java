package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.XDiTParallel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Degrees that a transformer of six heads cannot have. */
class DegreesTest {
  private static final Path SIGMA = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          7 | 1 | 7 tensor-parallel ranks are too many for 6 attention heads
          1 | 7 | 7 Ulysses ranks are too many for 6 attention heads
          2 | 4 | 4 Ulysses ranks are too many for 3 attention heads (6 over 2 tensor-parallel ranks)
          4 | 2 | 2 Ulysses ranks are too many for 1 attention heads (6 over 4 tensor-parallel ranks)
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

  @Test
  void morePatchesThanTokensAreRefused() {
    ParallelConfig degrees = ParallelConfig.builder().numPipelinePatch(100).build();
    InputConfig small =
        InputConfig.builder("a fox").size(64, 64).useResolutionBinning(false).build();
    try (XDiTParallel ranks =
        XDiTParallel.inProcess(EngineConfig.builder(SIGMA).parallel(degrees).build())) {
      assertThatThrownBy(() -> ranks.check(small))
          .isInstanceOf(ArgumentException.class)
          .hasMessageContaining(
              "100 patches on 1 sequence-parallel ranks need at least 100 tokens");
    }
  }
}
