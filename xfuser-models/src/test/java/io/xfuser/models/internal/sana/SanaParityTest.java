package io.xfuser.models.internal.sana;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class SanaParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("sana_tiny", "sana_2k_tiny", "sana_sprint_tiny");
  }
}
