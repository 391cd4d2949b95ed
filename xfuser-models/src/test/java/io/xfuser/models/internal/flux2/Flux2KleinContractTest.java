package io.xfuser.models.internal.flux2;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two double and three single blocks, and guidance away from the empty prompt. */
class Flux2KleinContractTest extends ParallelContract {
  static final int TEXT_TOKENS = 40;

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux2_klein_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two blue boats on a lake")
        .guidanceScale(3)
        .size(80, 112)
        .numInferenceSteps(STEPS)
        .maxSequenceLength(TEXT_TOKENS)
        .build();
  }
}
