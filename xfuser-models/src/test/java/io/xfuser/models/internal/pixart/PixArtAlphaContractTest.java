package io.xfuser.models.internal.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

class PixArtAlphaContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/pixart_alpha_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "två blå båtar 🦊")
        .size(144, 112)
        .numInferenceSteps(STEPS)
        .maxSequenceLength(20)
        .useResolutionBinning(false)
        .build();
  }
}
