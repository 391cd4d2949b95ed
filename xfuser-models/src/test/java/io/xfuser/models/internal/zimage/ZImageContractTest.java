package io.xfuser.models.internal.zimage;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two texts, one of which is filled up to twice the length of the other, and 35 tokens to 64. */
class ZImageContractTest extends ParallelContract {
  private static final String LONG =
      "two blue boats on a lake at dawn, with mountains, mist and rain";

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/zimage_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", LONG)
        .negativePrompts("blurry")
        .guidanceScale(3)
        .size(80, 112)
        .numInferenceSteps(STEPS)
        .build();
  }
}
