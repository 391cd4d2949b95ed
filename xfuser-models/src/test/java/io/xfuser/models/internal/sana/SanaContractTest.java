package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** 35 tokens in rows of 7, of which patches and shards begin anywhere. */
class SanaContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sana_tiny");
  }

  @Override
  protected InputConfig input() {
    return SanaInputs.two().size(160, 224).numInferenceSteps(STEPS).build();
  }
}
