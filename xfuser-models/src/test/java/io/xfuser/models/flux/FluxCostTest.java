package io.xfuser.models.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class FluxCostTest extends CostContract {
  private static final int TEXT_TOKENS = 20;

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux_dev_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.of("a red fox", "two boats")
        .withNegative("blurry")
        .withTrueCfgScale(3)
        .withSize(80, 112)
        .withMaxSequenceLength(TEXT_TOKENS);
  }

  @Override
  protected int width() {
    return 48;
  }

  @Override
  protected int textTokens() {
    return TEXT_TOKENS;
  }
}
