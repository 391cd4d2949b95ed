package io.xfuser.models.dit;

import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.PipelineProvider;
import java.util.Set;

/** Opens DiT directories. */
public final class DiTPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("DiTPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new DiTPipeline(components));
  }
}
