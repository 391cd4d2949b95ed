package io.xfuser.models.latte;

import io.xfuser.models.contract.DiffusersParity;
import java.util.List;
import java.util.Set;

class LatteParityTest extends DiffusersParity {
  @Override
  protected List<String> pipelines() {
    return List.of("latte_tiny", "latte_plain_tiny");
  }

  @Override
  protected Set<String> withoutFlag() {
    return Set.of("decode_chunk_size");
  }
}
