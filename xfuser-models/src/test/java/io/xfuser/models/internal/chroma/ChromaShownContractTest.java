package io.xfuser.models.internal.chroma;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.ShownPictures;

/** An adapter, by which two pictures are prompts, and a black one what is avoided. */
class ChromaShownContractTest extends ChromaContractTest {
  @Override
  protected String name() {
    return "chroma_tiny, shown";
  }

  @Override
  protected ModelConfig model() {
    return ShownPictures.with(directory(), "chroma.safetensors:0.8");
  }

  @Override
  protected InputConfig input() {
    return ShownPictures.show(super.input(), "hills.png", "tower.png");
  }
}
