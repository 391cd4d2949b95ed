package io.xfuser.pipeline;

import io.xfuser.config.RuntimeConfig;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Opens the pipelines of some classes; found by {@link java.util.ServiceLoader}. */
public interface PipelineProvider {
  /**
   * The diffusers classes it opens, as {@code _class_name} in {@code model_index.json} has them.
   */
  Set<String> classNames();

  /**
   * Opens a directory.
   *
   * @param index its {@code model_index.json}
   * @param variant of the weight files, {@code fp16} for example
   * @throws IllegalArgumentException naming the component that is missing or not supported
   */
  PipelineModel<?> open(
      Path directory, ComponentConfig index, RuntimeConfig runtime, @Nullable String variant);
}
