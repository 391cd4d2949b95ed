package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

class SD35MediumContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sd35_medium_tiny");
  }

  @Override
  protected InputConfig input() {
    return SD3ContractTest.pictures();
  }
}
