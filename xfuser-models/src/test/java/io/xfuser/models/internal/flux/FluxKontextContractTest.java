package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import io.xfuser.models.contract.Requests;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** 63 tokens that are denoised, and 28 that they refer to. */
class FluxKontextContractTest extends ParallelContract {
  @TempDir static Path scratch;

  @Override
  protected String name() {
    return "flux_kontext_tiny";
  }

  @Override
  protected Path directory() {
    return Requests.kontext(Requests.directory("flux_dev_tiny"), scratch);
  }

  @Override
  protected InputConfig input() {
    return Requests.referring(FluxSchnellContractTest.guided(STEPS));
  }
}
