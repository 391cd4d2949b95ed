package io.xfuser.models.internal.hunyuandit;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

class HunyuanDiT12ContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/hunyuandit12_tiny");
  }

  @Override
  protected InputConfig input() {
    return HunyuanDiTInputs.two().toBuilder().numInferenceSteps(STEPS).build();
  }
}
