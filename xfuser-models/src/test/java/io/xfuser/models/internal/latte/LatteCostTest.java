package io.xfuser.models.internal.latte;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class LatteCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/latte_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats").size(24, 40).build();
  }

  @Override
  protected int width() {
    return 24;
  }

  @Override
  protected int terms(int index) {
    return index % 2 == 0 ? 3 : 2; // frames' blocks look at the caption, places' blocks do not
  }
}
