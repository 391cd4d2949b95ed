package io.xfuser.models.internal.chroma;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Chroma: Chroma1-HD, Chroma1-Base, Chroma1-Flash. */
public final class ChromaPipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new ChromaPipeline(components));
  }
}
