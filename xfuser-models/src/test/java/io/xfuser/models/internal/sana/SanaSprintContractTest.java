package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import java.nio.file.Path;
import java.util.List;

/** The same by angles, with noise in every step, and a guidance that the transformer is told. */
class SanaSprintContractTest extends SanaContractTest {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sana_sprint_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two blue boats on a lake at dawn")
        .guidanceScale(3)
        .maxSequenceLength(24)
        .useResolutionBinning(false)
        .set(InputConfig.COMPLEX_HUMAN_INSTRUCTION, List.of("Prompt: "))
        .size(160, 224)
        .numInferenceSteps(STEPS)
        .build();
  }
}
