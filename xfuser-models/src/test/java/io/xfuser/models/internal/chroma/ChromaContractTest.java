package io.xfuser.models.internal.chroma;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;

/** Two texts of unequal length, whose padding is attended less, and 35 tokens. */
class ChromaContractTest extends ParallelContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/chroma_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two blue boats on a lake at dawn")
        .negativePrompts("blurry")
        .guidanceScale(3)
        .size(80, 112)
        .numInferenceSteps(STEPS)
        .maxSequenceLength(20)
        .build();
  }
}
