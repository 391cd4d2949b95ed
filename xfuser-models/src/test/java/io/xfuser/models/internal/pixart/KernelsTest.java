package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.AttentionKernel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever kernel computes self-attention, the picture is the same. */
class KernelsTest {
  private static final Path SIGMA = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  private static final Map<ParallelConfig, float[]> FASTEST = new HashMap<>();

  @ParameterizedTest
  @EnumSource(names = {"SDPA", "SDPA_FLASH", "SDPA_MATH"})
  void everyKernelDrawsTheSamePicture(AttentionKernel kernel) {
    compare(kernel, "cpu");
  }

  @Test
  void theKernelThatWasAskedForIsTheOneThatComputes() {
    ParallelConfig serial = ParallelConfig.serial();
    float[] fused = draw(serial, AttentionKernel.SDPA_FLASH, "cpu");
    assertThat(draw(serial, AttentionKernel.FASTEST, "cpu")).isEqualTo(fused);
    assertThat(draw(serial, AttentionKernel.SDPA_MATH, "cpu")).isNotEqualTo(fused); // in last bits
  }

  @Tag("gpu")
  @ParameterizedTest
  @EnumSource(names = {"FASTEST", "SDPA", "SDPA_EFFICIENT", "SDPA_MATH"})
  void aGpusKernelsDrawThePictureOfTheCpu(AttentionKernel kernel) {
    compare(kernel, "cuda:0");
  }

  /** Alone or in a ring, and over patches of which some are a step old. */
  private static void compare(AttentionKernel kernel, String device) {
    ParallelConfig serial = ParallelConfig.serial();
    ParallelConfig patches = serial.toBuilder().numPipelinePatch(2).build();
    for (ParallelConfig degrees :
        List.of(
            kernel == AttentionKernel.SDPA ? serial : serial.toBuilder().ringDegree(2).build(),
            patches.toBuilder().pipefusionDegree(2).build())) {
      float[] ours = draw(degrees, kernel, device);
      float[] expected =
          FASTEST.computeIfAbsent(degrees, same -> draw(same, AttentionKernel.FASTEST, "cpu"));
      assertThat(ours).hasSameSizeAs(expected);
      for (int i = 0; i < ours.length; i++) {
        assertThat((double) ours[i]).isCloseTo(expected[i], within(1e-4));
      }
    }
  }

  private static float[] draw(ParallelConfig degrees, AttentionKernel kernel, String device) {
    EngineConfig engine = EngineConfig.builder(SIGMA).parallel(degrees).build();
    InputConfig fox =
        InputConfig.builder("a fox")
            .size(64, 96)
            .useResolutionBinning(false)
            .numInferenceSteps(2)
            .outputType(OutputType.PT)
            .build();
    try (XDiTParallel ranks =
            XDiTParallel.inProcess(
                engine.toBuilder()
                    .runtime(r -> r.device(device).attentionBackend(kernel))
                    .build());
        Generation generation = ranks.generate(fox)) {
      return generation.tensor().toFloatArray();
    }
  }
}
