package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Three double and four single blocks. */
class FluxSchnellContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux_schnell_tiny");
  }

  @Override
  protected InputConfig input() {
    return guided(STEPS);
  }

  /** Two pictures of 63 tokens, with negative prompts, which is what CFG ranks share. */
  static InputConfig guided(int steps) {
    return InputConfig.builder("a red fox", "två blå båtar 🦊")
        .negativePrompts("blurry")
        .trueCfgScale(3)
        .size(112, 144)
        .numInferenceSteps(steps)
        .maxSequenceLength(20)
        .build();
  }
}
