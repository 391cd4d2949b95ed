package io.xfuser.models.contract;

import io.xfuser.config.InputConfig;

/** The costs of tiny pipelines of two double blocks, then three single blocks. */
public abstract class StreamCostContract extends CostContract {
  private static final int TEXT_TOKENS = 20;
  private static final int DOUBLE_BLOCKS = 2;
  private static final int LAST = 4;

  /** Two small pictures, without guidance. */
  protected static InputConfig small() {
    return InputConfig.builder("a red fox", "two boats")
        .size(80, 112)
        .maxSequenceLength(TEXT_TOKENS)
        .build();
  }

  @Override
  protected int width() {
    return 48;
  }

  @Override
  protected int textTokens() {
    return TEXT_TOKENS;
  }

  @Override
  protected int terms(int index) {
    return index < DOUBLE_BLOCKS ? 2 : 1;
  }

  @Override
  protected int textTerms(int index) {
    return index == LAST ? 0 : terms(index); // nothing reads the text after the last block
  }
}
