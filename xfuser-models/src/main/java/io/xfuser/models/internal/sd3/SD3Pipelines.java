package io.xfuser.models.internal.sd3;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Stable Diffusion 3 and 3.5. */
public final class SD3Pipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of(
        "StableDiffusion3Pipeline",
        "StableDiffusion3Img2ImgPipeline",
        "StableDiffusion3InpaintPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new SD3Pipeline(components));
  }
}
