package io.xfuser.models.internal.latte;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two videos of four frames: the chunks of 14 frames that are decoded together hold both. */
class LatteContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/latte_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two blue boats")
        .size(24, 40)
        .numInferenceSteps(STEPS)
        .build();
  }
}
