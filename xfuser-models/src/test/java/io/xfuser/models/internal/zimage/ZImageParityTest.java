package io.xfuser.models.internal.zimage;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class ZImageParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("zimage_tiny");
  }
}
