package io.xfuser.models.internal.cogvideox;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Rotations, a solver that remembers and adds noise, a weight of the prompt for each step. */
class CogVideoX5bContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/cogvideox_5b_tiny");
  }

  @Override
  protected InputConfig input() {
    return CogVideoXInputs.two()
        .numInferenceSteps(STEPS)
        .set(InputConfig.USE_DYNAMIC_CFG, true)
        .build();
  }
}
