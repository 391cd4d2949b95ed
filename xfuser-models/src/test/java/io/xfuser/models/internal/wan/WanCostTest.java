package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;
import java.util.List;

class WanCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/wan_tiny");
  }

  @Override
  protected InputConfig input() {
    return WanInputs.two().build();
  }

  @Override
  protected int width() {
    return 48;
  }

  /** Of queries and keys, then of queries that look at the text. */
  @Override
  protected List<Integer> squares() {
    return List.of(2, 1);
  }

  @Override
  protected int squaredText() {
    return WanInputs.TEXT;
  }
}
