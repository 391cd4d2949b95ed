package io.xfuser.models.internal.hunyuandit;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class HunyuanDiTCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/hunyuandit_tiny");
  }

  @Override
  protected InputConfig input() {
    return HunyuanDiTInputs.two();
  }

  @Override
  protected int width() {
    return 24;
  }
}
