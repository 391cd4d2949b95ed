package io.xfuser.models.internal.cogvideox;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of CogVideoX. */
public final class CogVideoXPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("CogVideoXPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new CogVideoXPipeline(components));
  }
}
