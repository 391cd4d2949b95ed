package io.xfuser.models.internal.cogvideox;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class CogVideoXParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("cogvideox_tiny", "cogvideox_5b_tiny", "cogvideox15_tiny");
  }
}
