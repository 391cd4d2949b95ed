package io.xfuser.models.internal.dit;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
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
