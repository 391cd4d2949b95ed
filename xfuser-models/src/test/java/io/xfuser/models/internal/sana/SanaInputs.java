package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import java.util.List;

/** Requests of the tests. */
final class SanaInputs {
  private SanaInputs() {}

  /** Two prompts of unequal length behind a short instruction, with guidance. */
  static InputConfigBuilder two() {
    return InputConfig.builder("a red fox", "two blue boats on a lake at dawn")
        .negativePrompts("blurry")
        .guidanceScale(3)
        .maxSequenceLength(24)
        .useResolutionBinning(false)
        .set(InputConfig.COMPLEX_HUMAN_INSTRUCTION, List.of("Prompt: "));
  }
}
