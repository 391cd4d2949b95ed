package io.xfuser.models.internal.flux2;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class Flux2CostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux2_klein_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats")
        .size(80, 112)
        .guidanceScale(3)
        .maxSequenceLength(textTokens())
        .build();
  }

  @Override
  protected int width() {
    return 48;
  }

  /** What every text is padded to. */
  @Override
  protected int textTokens() {
    return Flux2KleinContractTest.TEXT_TOKENS;
  }

  /** Two double blocks, then three single blocks. */
  @Override
  protected int terms(int index) {
    return index < 2 ? 2 : 1;
  }

  @Override
  protected int textTerms(int index) {
    return index == 4 ? 0 : terms(index); // nothing reads the text after the last block
  }
}
