package io.xfuser.models.pixart;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class PixArtCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.of("a red fox", "two boats")
        .withSize(96, 128)
        .withMaxSequenceLength(20)
        .withResolutionBinning(false);
  }

  @Override
  protected int width() {
    return 48;
  }
}
