package io.xfuser.models.internal.latte;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class LatteParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("latte_tiny", "latte_plain_tiny");
  }
}
