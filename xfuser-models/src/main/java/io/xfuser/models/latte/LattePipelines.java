package io.xfuser.models.latte;

import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.PipelineProvider;
import java.util.Set;

/** Opens Latte directories. */
public final class LattePipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("LattePipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new LattePipeline(components));
  }
}
