package io.xfuser.models.internal.sd3;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.ShownPictures;

/**
 * Each attention is there twice with a picture that is a prompt, whose 7 tokens are shared out as
 * those of the text are. What makes them is on every rank, and nothing of it is sent.
 */
class SD3ShownCostTest extends SD3CostTest {
  @Override
  protected String name() {
    return "sd35_medium_tiny, shown";
  }

  @Override
  protected ModelConfig model() {
    return ShownPictures.from(ShownPictures.TIMED, directory(), "medium.safetensors");
  }

  @Override
  protected InputConfig input() {
    return ShownPictures.show(ShownPictures.TIMED, super.input(), "hills.png");
  }

  @Override
  protected int shownTokens() {
    return 7;
  }

  @Override
  protected int shownAttentions(int index) {
    return terms(index) - 1;
  }
}
