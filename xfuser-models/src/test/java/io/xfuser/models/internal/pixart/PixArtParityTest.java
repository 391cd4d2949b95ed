package io.xfuser.models.internal.pixart;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class PixArtParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("pixart_sigma_tiny", "pixart_alpha_tiny");
  }
}
