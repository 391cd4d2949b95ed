package io.xfuser.models.sd3;

import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.PipelineProvider;
import java.util.Set;

/** Opens directories of Stable Diffusion 3 and 3.5. */
public final class SD3Pipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("StableDiffusion3Pipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new SD3Pipeline(components));
  }
}
