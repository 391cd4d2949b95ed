package io.xfuser.models.internal.flux;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Flux.1 schnell, dev, Fill and Kontext. */
public final class FluxPipelines implements PipelineProvider {
  /** The pipeline whose transformer sees a mask. */
  static final String FILL = "FluxFillPipeline";

  /** The pipeline whose transformer refers to a picture. */
  static final String KONTEXT = "FluxKontextPipeline";

  @Override
  public Set<String> classNames() {
    return Set.of("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", FILL, KONTEXT);
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new FluxPipeline(components));
  }
}
