package io.xfuser.models.internal.qwenimage;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class QwenImageCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/qwenimage_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats")
        .negativePrompts("blurry")
        .size(80, 112)
        .build();
  }

  @Override
  protected int width() {
    return 48;
  }

  /** Of the longest text, behind the 34 that are dropped. */
  @Override
  protected int textTokens() {
    return 91;
  }

  @Override
  protected int terms(int index) {
    return 2;
  }

  @Override
  protected int textTerms(int index) {
    return 2;
  }
}
