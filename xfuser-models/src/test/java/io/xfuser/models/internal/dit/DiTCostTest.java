package io.xfuser.models.internal.dit;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;
import java.util.List;

class DiTCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/dit_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder().classLabels(List.of(1, 7)).build();
  }

  @Override
  protected int width() {
    return 24;
  }

  @Override
  protected int terms(int index) {
    return 2;
  }
}
