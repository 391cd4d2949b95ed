package io.xfuser.models.hunyuandit;

import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.PipelineProvider;
import java.util.Set;

/** Opens HunyuanDiT directories. */
public final class HunyuanDiTPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("HunyuanDiTPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new HunyuanDiTPipeline(components));
  }
}
