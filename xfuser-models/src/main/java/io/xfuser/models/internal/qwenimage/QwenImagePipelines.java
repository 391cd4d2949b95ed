package io.xfuser.models.internal.qwenimage;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** Opens directories of Qwen-Image and Qwen-Image-Edit. */
public final class QwenImagePipelines implements PipelineProvider {
  @Override
  public Set<String> classNames() {
    return Arrays.stream(QwenImageTask.values())
        .flatMap(task -> task.classNames().stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return LatentPipeline.checked(new QwenImagePipeline(components));
  }
}
