package io.xfuser.models.internal.hunyuandit;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
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
