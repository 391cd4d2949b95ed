package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of HunyuanVideo 1.5. */
public final class HunyuanVideoPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("HunyuanVideo15Pipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new HunyuanVideoPipeline(components));
  }
}
