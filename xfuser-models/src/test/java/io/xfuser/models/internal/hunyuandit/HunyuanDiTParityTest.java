package io.xfuser.models.internal.hunyuandit;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class HunyuanDiTParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("hunyuandit_tiny", "hunyuandit12_tiny");
  }
}
