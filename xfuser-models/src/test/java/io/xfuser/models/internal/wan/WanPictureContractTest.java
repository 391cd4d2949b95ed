package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two videos of 45 tokens between two pictures, which are seen by an encoder of their own too. */
class WanPictureContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return WanInputs.BETWEEN;
  }

  @Override
  protected InputConfig input() {
    return WanInputs.between().numInferenceSteps(STEPS).build();
  }
}
