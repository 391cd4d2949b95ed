package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import io.xfuser.models.contract.Requests;
import java.nio.file.Path;

/** Two videos of 45 tokens, and texts of unequal length, of which one has something quoted. */
class HunyuanVideoContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Requests.directory("hunyuanvideo15_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox with a sign \"Fox\"", "two blue boats")
        .negativePrompts("blurry")
        .guidanceScale(3)
        .size(48, 80)
        .numFrames(9)
        .numInferenceSteps(STEPS)
        .build();
  }
}
