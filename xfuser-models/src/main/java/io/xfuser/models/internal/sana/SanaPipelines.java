package io.xfuser.models.internal.sana;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of SANA. */
public final class SanaPipelines implements PipelineProvider {
  /** The pipeline of SANA-Sprint that begins with a picture in any case. */
  static final String SPRINT_FROM_PICTURES = "SanaSprintImg2ImgPipeline";

  private static final Set<String> SPRINTS = Set.of("SanaSprintPipeline", SPRINT_FROM_PICTURES);

  @Override
  public Set<String> classNames() {
    return Set.of("SanaPipeline", "SanaSprintPipeline", SPRINT_FROM_PICTURES);
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    boolean sprints = SPRINTS.contains(components.index().getString("_class_name"));
    return LatentPipeline.checked(
        sprints ? new SanaSprintPipeline(components) : new SanaPipeline(components));
  }
}
