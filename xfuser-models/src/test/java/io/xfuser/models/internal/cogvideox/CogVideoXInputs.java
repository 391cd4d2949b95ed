package io.xfuser.models.internal.cogvideox;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;

/** Requests of the tests. */
final class CogVideoXInputs {
  /** Text tokens. */
  static final int TEXT = 20;

  private CogVideoXInputs() {}

  /** Two videos of 3 × 3 × 5 tokens, with prompts of unequal length and guidance. */
  static InputConfigBuilder two() {
    return InputConfig.builder("a red fox", "two blue boats on a lake at dawn")
        .negativePrompts("blurry")
        .size(48, 80)
        .numFrames(9)
        .guidanceScale(3)
        .maxSequenceLength(TEXT);
  }
}
