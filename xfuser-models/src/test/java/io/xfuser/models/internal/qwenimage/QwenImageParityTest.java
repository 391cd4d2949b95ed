package io.xfuser.models.internal.qwenimage;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class QwenImageParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("qwenimage_tiny");
  }
}
