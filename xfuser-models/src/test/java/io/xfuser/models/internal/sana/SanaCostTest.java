package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

/** 35 tokens in rows of 7; a block has a sum over all of them, and asks for their neighbours. */
class SanaCostTest extends CostContract {
  private static final int HEAD = 8;
  private static final int COLUMNS = 7;

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sana_tiny");
  }

  @Override
  protected InputConfig input() {
    return SanaInputs.two().size(160, 224).build();
  }

  @Override
  protected int width() {
    return 48;
  }

  /** Of D + 1 rows of D. */
  @Override
  protected long tokenSum(int heads) {
    return heads * (HEAD + 1L) * HEAD;
  }

  @Override
  protected int reach() {
    return COLUMNS + 1;
  }
}
