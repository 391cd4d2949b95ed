package io.xfuser.models.internal.zimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.model.GenerationRequest.GuidanceBounds;
import io.xfuser.models.contract.Requests;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Guidance whose length and time are bounded; the pictures themselves are among diffusers'. */
class ZImageGuidanceTest {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();
  private static final InputConfig BOUNDED =
      InputConfig.builder("a red fox", "two boats on a lake")
          .size(48, 80)
          .numInferenceSteps(3)
          .guidanceScale(4)
          .set(InputConfig.CFG_NORMALIZATION, 0.9)
          .set(InputConfig.CFG_TRUNCATION, 0.2)
          .outputType(OutputType.PT)
          .build();

  @Test
  void ranksBoundTheLengthOfTheWholePicture() {
    try (NDManager manager = Torch.newManager()) {
      NDArray serial = drawn(manager, BOUNDED, SERIAL);
      for (ParallelConfig degrees :
          List.of(
              SERIAL.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
              SERIAL.toBuilder().cfgDegree(2).ulyssesDegree(3).build(),
              SERIAL.toBuilder().cfgDegree(2).pipefusionDegree(2).numPipelinePatch(1).build())) {
        assertThat(Pixels.largestDifference(drawn(manager, BOUNDED, degrees), serial))
            .as("%s", degrees)
            .isLessThanOrEqualTo(1e-4);
      }
      for (InputConfig unbounded :
          List.of(
              BOUNDED.toBuilder().set(InputConfig.CFG_NORMALIZATION, 0.0).build(),
              BOUNDED.toBuilder().set(InputConfig.CFG_TRUNCATION, 1.0).build())) {
        assertThat(Pixels.largestDifference(drawn(manager, unbounded, SERIAL), serial))
            .isGreaterThan(1e-3);
      }
    }
  }

  @Test
  void stalePatchesHaveNoLengthOfTheWhole() {
    ParallelConfig stale = SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build();
    try (NDManager manager = Torch.newManager()) {
      assertThatThrownBy(() -> drawn(manager, BOUNDED, stale))
          .hasMessage(
              "cfg_normalization needs the whole prediction, but PipeFusion has 3 patches after 1"
                  + " of 3 steps");
    }
  }

  @ParameterizedTest
  @CsvSource({"true, 1", "True, 1", "false, 0", "0.5, 0.5", "-1, -1"})
  void normalizationIsANumberOrATruth(String given, double length) {
    InputConfig input = BOUNDED.toBuilder().set(InputConfig.CFG_NORMALIZATION, given).build();
    assertThat(GuidanceBounds.of(input)).isEqualTo(new GuidanceBounds(length, 0.2));
  }

  @ParameterizedTest
  @CsvSource({"1000, true", "500, true", "499.9, false", "0, false"})
  void guidanceEndsAfterItsShareOfTheWay(double timestep, boolean guided) {
    assertThat(new GuidanceBounds(0, 0.5).at(timestep)).isEqualTo(guided);
  }

  private static NDArray drawn(NDManager manager, InputConfig input, ParallelConfig degrees) {
    EngineConfig engine =
        EngineConfig.builder(Requests.directory("zimage_tiny")).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(input)) {
      return Torch.copy(manager, generation.tensor());
    }
  }
}
