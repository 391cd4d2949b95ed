package io.xfuser.models.internal.qwenimage;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens directories of Qwen-Image. */
public final class QwenImagePipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("QwenImagePipeline");
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new QwenImagePipeline(components));
  }
}
