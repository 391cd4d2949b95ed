package io.xfuser.models.internal.cogvideox;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;

class CogVideoXCostTest extends CostContract {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/cogvideox_tiny");
  }

  @Override
  protected InputConfig input() {
    return CogVideoXInputs.two().build();
  }

  @Override
  protected int width() {
    return 48;
  }

  @Override
  protected int textTokens() {
    return CogVideoXInputs.TEXT;
  }

  @Override
  protected int terms(int index) {
    return 2;
  }

  @Override
  protected int textTerms(int index) {
    return index == 4 ? 0 : 2; // the last block
  }
}
