package io.xfuser.models.internal.zimage;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

/** 32 tokens, which nothing fills up, after two blocks that refine them without the text. */
class ZImageCostTest extends CostContract {
  private static final int REFINERS = 2;

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/zimage_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats").size(64, 128).guidanceScale(3).build();
  }

  @Override
  protected int width() {
    return 48;
  }

  /** What both texts are filled up to. */
  @Override
  protected int textTokens() {
    return 32;
  }

  @Override
  protected int jointAttentions(int index) {
    return index < REFINERS ? 0 : 1;
  }

  @Override
  protected int terms(int index) {
    return 2;
  }

  @Override
  protected int textTerms(int index) {
    return index < REFINERS ? 0 : 2;
  }
}
