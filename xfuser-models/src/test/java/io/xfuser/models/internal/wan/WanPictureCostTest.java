package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import java.nio.file.Path;

/** The same between two pictures, which blocks look at beside the text. */
class WanPictureCostTest extends WanCostTest {
  @Override
  protected Path directory() {
    return WanInputs.BETWEEN;
  }

  @Override
  protected InputConfig input() {
    return WanInputs.between().build();
  }

  @Override
  protected int squaredText() {
    return WanInputs.TEXT + WanInputs.SEEN;
  }
}
