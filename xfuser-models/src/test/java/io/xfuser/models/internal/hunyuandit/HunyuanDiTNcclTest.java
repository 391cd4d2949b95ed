package io.xfuser.models.internal.hunyuandit;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.NcclContract;
import java.nio.file.Path;

/** Long skips go past stages, each over a direction of its own. */
class HunyuanDiTNcclTest extends NcclContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/hunyuandit12_tiny");
  }

  @Override
  protected InputConfig input() {
    return HunyuanDiTInputs.two();
  }
}
