package io.xfuser.models.internal.flux;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.ShownPictures;

/** Adapters have weights, and nothing of them is sent. */
class FluxShownCostTest extends FluxCostTest {
  @Override
  protected String name() {
    return "flux_schnell_tiny, shown";
  }

  @Override
  protected ModelConfig model() {
    return ShownPictures.with(directory(), "dev.safetensors");
  }

  @Override
  protected InputConfig input() {
    return ShownPictures.show(super.input(), "hills.png");
  }
}
