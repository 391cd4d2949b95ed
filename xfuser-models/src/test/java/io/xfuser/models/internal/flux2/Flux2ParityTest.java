package io.xfuser.models.internal.flux2;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class Flux2ParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("flux2_tiny", "flux2_klein_tiny");
  }
}
