package io.xfuser.models.internal.flux2;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Three double and two single blocks, guidance as a condition, texts padded on the left. */
class Flux2ContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux2_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two blue boats on a lake")
        .size(80, 112)
        .numInferenceSteps(STEPS)
        .maxSequenceLength(180)
        .build();
  }
}
