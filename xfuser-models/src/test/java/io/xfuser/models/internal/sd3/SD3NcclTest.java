package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.NcclContract;
import java.nio.file.Path;

/** Text attends with the image, so its outputs are gathered and it crosses stages. */
class SD3NcclTest extends NcclContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sd35_medium_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "två blå båtar 🦊")
        .size(112, 144)
        .maxSequenceLength(20)
        .build();
  }
}
