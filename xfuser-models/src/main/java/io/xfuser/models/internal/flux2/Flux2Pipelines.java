package io.xfuser.models.internal.flux2;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Flux.2 dev and klein. */
public final class Flux2Pipelines implements PipelineProvider {
  /** The pipeline whose transformer is told the strength of the prompt. */
  static final String DEV = "Flux2Pipeline";

  /** The one whose transformer is not. */
  static final String KLEIN = "Flux2KleinPipeline";

  @Override
  public Set<String> classNames() {
    return Set.of(DEV, KLEIN);
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    boolean small = components.index().getString("_class_name").equals(KLEIN);
    return LatentPipeline.checked(
        new Flux2Pipeline(components, small ? Flux2Variant.KLEIN : Flux2Variant.DEV));
  }
}
