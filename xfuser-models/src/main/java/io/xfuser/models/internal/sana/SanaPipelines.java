package io.xfuser.models.internal.sana;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of SANA. */
public final class SanaPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("SanaPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new SanaPipeline(components));
  }
}
