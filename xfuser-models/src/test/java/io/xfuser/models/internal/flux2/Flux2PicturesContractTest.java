package io.xfuser.models.internal.flux2;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Picture;
import io.xfuser.models.contract.ParallelContract;
import io.xfuser.models.contract.ReferredPictures;
import java.nio.file.Path;
import java.util.List;

/** 35 tokens that are denoised, and 28 and 16 that they refer to. */
class Flux2PicturesContractTest extends ParallelContract {
  @Override
  protected String name() {
    return "flux2_klein_tiny, referring";
  }

  @Override
  protected Path directory() {
    return Path.of("src/test/resources/fixtures/flux2_klein_tiny");
  }

  @Override
  protected InputConfig input() {
    Path folder = ReferredPictures.folder("flux2_pictures");
    return InputConfig.builder("a red fox", "two blue boats on a lake")
        .guidanceScale(3)
        .size(80, 112)
        .images(
            List.of(
                Picture.of(folder.resolve("hills.png")), Picture.of(folder.resolve("part.png"))))
        .numInferenceSteps(STEPS)
        .maxSequenceLength(Flux2KleinContractTest.TEXT_TOKENS)
        .build();
  }
}
