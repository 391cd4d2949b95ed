package io.xfuser.models.internal.flux;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Opens directories of Flux.1 schnell, dev, Fill and Kontext. */
public final class FluxPipelines implements PipelineProvider {
  /** The pipeline whose transformer sees a mask. */
  static final String FILL = "FluxFillPipeline";

  @Override
  public Set<String> classNames() {
    Set<String> names = new HashSet<>(Kontext.CLASSES);
    names.addAll(List.of("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", FILL));
    return names;
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new FluxPipeline(components));
  }
}
