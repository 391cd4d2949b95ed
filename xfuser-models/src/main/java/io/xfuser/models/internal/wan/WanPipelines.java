package io.xfuser.models.internal.wan;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Wan. */
public final class WanPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("WanPipeline", "WanImageToVideoPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new WanPipeline(components));
  }
}
