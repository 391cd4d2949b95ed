package io.xfuser.models.internal.chroma;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;

class ChromaParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("chroma_tiny");
  }
}
