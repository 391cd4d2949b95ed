package io.xfuser.models.internal.flux;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class FluxParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("flux_schnell_tiny", "flux_dev_tiny");
  }
}
