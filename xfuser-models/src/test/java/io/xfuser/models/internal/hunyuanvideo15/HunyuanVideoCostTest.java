package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import io.xfuser.models.contract.Requests;
import java.nio.file.Path;

class HunyuanVideoCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Requests.directory("hunyuanvideo15_tiny");
  }

  /** Of 27 tokens each. */
  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats")
        .negativePrompts("blurry")
        .guidanceScale(3)
        .size(48, 48)
        .numFrames(9)
        .build();
  }

  @Override
  protected int width() {
    return 48;
  }

  @Override
  protected int textTokens() {
    return 47;
  }

  @Override
  protected int terms(int index) {
    return 2;
  }

  /** Text leaves the last block, too, though nothing reads it. */
  @Override
  protected int textTerms(int index) {
    return 2;
  }
}
