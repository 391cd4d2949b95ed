package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.ShownPictures;

/** With a picture that is a prompt, which each attention of a block attends with all tokens. */
class SD3ShownContractTest extends SD35MediumContractTest {
  @Override
  protected String name() {
    return "sd35_medium_tiny, shown";
  }

  @Override
  protected ModelConfig model() {
    return ShownPictures.from(ShownPictures.TIMED, directory(), "medium.safetensors:0.9");
  }

  @Override
  protected InputConfig input() {
    return ShownPictures.show(ShownPictures.TIMED, super.input(), "hills.png");
  }
}
