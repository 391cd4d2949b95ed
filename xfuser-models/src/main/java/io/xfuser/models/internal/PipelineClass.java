package io.xfuser.models.internal;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import java.util.Set;
import java.util.function.Function;

/** Some classes of diffusers' pipelines: one model's. */
public abstract class PipelineClass implements PipelineProvider {
  private final Set<String> classNames;
  private final Function<PipelineComponents, LatentPipeline<?, ?>> opening;

  /**
   * For directories of some classes.
   *
   * @param opening makes a pipeline of one
   */
  protected PipelineClass(
      Function<PipelineComponents, LatentPipeline<?, ?>> opening, String... classNames) {
    this.classNames = Set.of(classNames);
    this.opening = opening;
  }

  @Override
  public Set<String> classNames() {
    return classNames;
  }

  /**
   * {@inheritDoc} All is checked that can be without reading weights, so that what is missing or
   * not supported is said when a model is opened, not when a picture is wanted.
   *
   * @throws IllegalArgumentException naming the component and what is wrong with it
   */
  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    LatentPipeline<?, ?> pipeline = opening.apply(components);
    try {
      pipeline.check();
      return pipeline;
    } catch (RuntimeException e) {
      pipeline.close();
      throw e;
    }
  }
}
