package io.xfuser.model;

import java.util.Set;

/** Opens the pipelines of some classes; found by {@link java.util.ServiceLoader}. */
public interface PipelineProvider {
  /**
   * The diffusers classes it opens, as {@code _class_name} in {@code model_index.json} has them.
   */
  Set<String> classNames();

  /**
   * Opens a directory.
   *
   * @throws IllegalArgumentException naming the component that is missing or not supported
   */
  PipelineModel<?> open(PipelineComponents components);
}
