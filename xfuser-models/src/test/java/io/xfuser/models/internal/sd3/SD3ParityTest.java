package io.xfuser.models.internal.sd3;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class SD3ParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("sd3_tiny", "sd3_no_t5_tiny", "sd35_medium_tiny", "sd35_large_tiny");
  }
}
