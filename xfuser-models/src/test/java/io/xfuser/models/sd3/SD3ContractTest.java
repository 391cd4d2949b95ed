package io.xfuser.models.sd3;

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
    return InputConfig.of("a red fox", "två blå båtar 🦊")
        .withSize(112, 144)
        .withSteps(STEPS)
        .withMaxSequenceLength(20);
  }
}
