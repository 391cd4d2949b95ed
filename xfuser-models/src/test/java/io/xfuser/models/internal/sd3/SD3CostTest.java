package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

/** With two attentions in some blocks, of which the second is without text. */
class SD3CostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sd35_medium_tiny");
  }

  @Override
  protected InputConfig input() {
    return InputConfig.builder("a red fox", "two boats")
        .size(80, 112)
        .maxSequenceLength(20)
        .build();
  }

  @Override
  protected int width() {
    return 24;
  }

  @Override
  protected int textTokens() {
    return 77 + 20;
  }

  @Override
  protected int terms(int index) {
    return index == 0 || index == 2 ? 3 : 2; // dual_attention_layers
  }

  @Override
  protected int textTerms(int index) {
    return index == 5 ? 0 : 2; // nothing reads the text after the last block
  }
}
