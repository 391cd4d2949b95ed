package io.xfuser.models.internal.chroma;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.contract.StreamCostContract;
import java.nio.file.Path;

class ChromaCostTest extends StreamCostContract {
  @Override
  protected Path directory() {
    return Requests.directory("chroma_tiny");
  }

  @Override
  protected InputConfig input() {
    return small().toBuilder().guidanceScale(3).build();
  }
}
