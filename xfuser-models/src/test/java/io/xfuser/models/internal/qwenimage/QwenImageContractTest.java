package io.xfuser.models.internal.qwenimage;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two texts, the shorter filled up to the longer, against one that is shorter than both. */
class QwenImageContractTest extends ParallelContract {
  private static final String LONG =
      "two blue boats on a lake at dawn, with mountains, mist and rain";

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/qwenimage_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", LONG)
        .negativePrompts("")
        .trueCfgScale(3)
        .size(80, 112)
        .numInferenceSteps(STEPS)
        .build();
  }
}
