package io.xfuser.models.internal.chroma;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

/** Two double blocks, then three single blocks. */
class ChromaCostTest extends CostContract {
  private static final int TEXT_TOKENS = 20;

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/chroma_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats")
        .guidanceScale(3)
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
    return index < 2 ? 2 : 1;
  }

  @Override
  protected int textTerms(int index) {
    return index == 4 ? 0 : terms(index); // nothing reads the text after the last block
  }
}
