package io.xfuser.models.internal.sana;

import java.nio.file.Path;

/** The same with positions and with norms across all heads. */
class Sana2kContractTest extends SanaContractTest {
  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/sana_2k_tiny");
  }
}
