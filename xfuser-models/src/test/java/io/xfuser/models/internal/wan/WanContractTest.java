package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two videos of 45 tokens; the first of three steps is another transformer's than the others. */
class WanContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/wan22_tiny");
  }

  @Override
  protected InputConfig input() {
    return WanInputs.two().numInferenceSteps(STEPS).set(InputConfig.GUIDANCE_SCALE_2, 2.0).build();
  }
}
