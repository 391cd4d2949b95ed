package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.contract.StreamCostContract;
import java.nio.file.Path;

class FluxCostTest extends StreamCostContract {
  @Override
  protected Path directory() {
    return Requests.directory("flux_dev_tiny");
  }

  @Override
  protected InputConfig input() {
    return small().toBuilder().negativePrompts("blurry").trueCfgScale(3).build();
  }
}
