package io.xfuser.models.internal.dit;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class DiTParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("dit_tiny");
  }
}
