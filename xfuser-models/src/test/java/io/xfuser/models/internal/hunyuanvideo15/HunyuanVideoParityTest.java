package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class HunyuanVideoParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("hunyuanvideo15_tiny");
  }
}
