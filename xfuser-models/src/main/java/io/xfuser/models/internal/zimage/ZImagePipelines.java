package io.xfuser.models.internal.zimage;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Z-Image and Z-Image-Turbo. */
public final class ZImagePipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new ZImagePipeline(components));
  }
}
