package io.xfuser.models.internal.latte;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
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
