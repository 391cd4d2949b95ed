package io.xfuser.models.internal.pixart;

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
    return InputConfig.builder("a red fox", "two boats")
        .size(96, 128)
        .maxSequenceLength(20)
        .useResolutionBinning(false)
        .build();
  }

  @Override
  protected int width() {
    return 48;
  }
}
