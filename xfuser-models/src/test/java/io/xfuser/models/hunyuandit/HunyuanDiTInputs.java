package io.xfuser.models.hunyuandit;

import io.xfuser.config.InputConfig;

/** What the tests here ask for. */
final class HunyuanDiTInputs {
  private HunyuanDiTInputs() {}

  /** Two pictures of 7 by 9 tokens with guidance. */
  static InputConfig two() {
    return InputConfig.of("a red fox", "两只红狐狸 🦊").withSize(112, 144).withResolutionBinning(false);
  }
}
