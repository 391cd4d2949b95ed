package io.xfuser.models.internal.dit;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;
import java.util.List;

class DiTContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/dit_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder().classLabels(List.of(1, 7)).numInferenceSteps(STEPS).build();
  }
}
