package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two videos of 45 tokens, of which the first 15 are a picture's, at a timestep of their own. */
class WanStillContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/wan22_5b_tiny");
  }

  @Override
  protected InputConfig input() {
    return WanInputs.two().size(96, 160).image(WanInputs.HILLS).numInferenceSteps(STEPS).build();
  }
}
