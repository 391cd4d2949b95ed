package io.xfuser.models.internal.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

class PixArtSigmaContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "två blå båtar 🦊")
        .size(112, 144)
        .numInferenceSteps(STEPS)
        .maxSequenceLength(20)
        .useResolutionBinning(false)
        .build();
  }
}
