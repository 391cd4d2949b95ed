package io.xfuser.models.flux;

import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.PipelineProvider;
import java.util.Set;

/** Opens directories of Flux.1 schnell and dev. */
public final class FluxPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("FluxPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new FluxPipeline(components));
  }
}
