package io.xfuser.models.internal.hunyuandit;

import io.xfuser.config.InputConfig;

/** What the tests here ask for. */
final class HunyuanDiTInputs {
  private HunyuanDiTInputs() {}

  /**
   * Two pictures of 7 by 9 tokens. Guidance is weak: with the default of 5 the random weights turn
   * the last bits of products, which depend on the number of threads, into more than 1e-5.
   */
  static InputConfig two() {
    return InputConfig.builder("a red fox", "两只红狐狸 🦊")
        .size(112, 144)
        .guidanceScale(2)
        .useResolutionBinning(false)
        .build();
  }
}
