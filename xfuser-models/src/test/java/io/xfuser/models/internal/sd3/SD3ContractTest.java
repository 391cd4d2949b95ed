package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

class SD3ContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sd3_tiny");
  }

  @Override
  protected InputConfig input() {
    return pictures();
  }

  /** Two pictures of 63 tokens. */
  static InputConfig pictures() {
    return InputConfig.builder("a red fox", "två blå båtar 🦊")
        .size(112, 144)
        .numInferenceSteps(STEPS)
        .maxSequenceLength(20)
        .build();
  }
}
