package io.xfuser.models.internal.cogvideox;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two videos of 30 tokens of two frames each, the last of which is filled up. */
class CogVideoX15ContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/cogvideox15_tiny");
  }

  @Override
  protected InputConfig input() {
    return CogVideoXInputs.two().numInferenceSteps(STEPS).build();
  }
}
