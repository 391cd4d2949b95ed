package io.xfuser.models.internal.cogvideox;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Places that are added to tokens, DDIM. */
class CogVideoXContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/cogvideox_tiny");
  }

  @Override
  protected InputConfig input() {
    return CogVideoXInputs.two().numInferenceSteps(STEPS).build();
  }
}
