package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.ParallelContract;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.contract.ShownPictures;
import java.nio.file.Path;

/** Two adapters, by which two pictures are prompts, and black ones what is avoided. */
class FluxShownContractTest extends ParallelContract {
  @Override
  protected String name() {
    return "flux_schnell_tiny, shown";
  }

  @Override
  protected Path directory() {
    return Requests.directory("flux_schnell_tiny");
  }

  @Override
  protected ModelConfig model() {
    return ShownPictures.with(directory(), "schnell.safetensors:0.6", "other.safetensors:0.9");
  }

  @Override
  protected InputConfig input() {
    return ShownPictures.show(FluxSchnellContractTest.guided(STEPS), "hills.png", "tower.png");
  }
}
