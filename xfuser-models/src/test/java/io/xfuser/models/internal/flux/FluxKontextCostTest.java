package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.Requests;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The formulas with the tokens of all segments for p. */
class FluxKontextCostTest extends FluxCostTest {
  @TempDir static Path scratch;

  @Override
  protected String name() {
    return "flux_kontext_tiny";
  }

  @Override
  protected Path directory() {
    return Requests.kontext(super.directory(), scratch);
  }

  @Override
  protected InputConfig input() {
    return Requests.referring(super.input());
  }
}
