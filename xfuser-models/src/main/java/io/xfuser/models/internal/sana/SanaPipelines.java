package io.xfuser.models.internal.sana;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of SANA. */
public final class SanaPipelines implements PipelineProvider {
  private static final String SPRINT = "SanaSprintPipeline";

  @Override
  public Set<String> classNames() {
    return Set.of("SanaPipeline", SPRINT);
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    boolean sprints = components.index().getString("_class_name").equals(SPRINT);
    return LatentPipeline.checked(
        sprints ? new SanaSprintPipeline(components) : new SanaPipeline(components));
  }
}
