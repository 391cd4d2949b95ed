package io.xfuser.models.internal.wan;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class WanParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of(
        "wan_tiny",
        "wan22_tiny",
        "wan22_5b_tiny",
        "wan_i2v_tiny",
        "wan_flf_tiny",
        "wan22_i2v_tiny");
  }
}
