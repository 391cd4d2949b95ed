package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two double and three single blocks, guidance as a condition, levels shifted by the size. */
class FluxDevContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux_dev_tiny");
  }

  @Override
  protected InputConfig input() {
    return FluxSchnellContractTest.guided(STEPS);
  }
}
