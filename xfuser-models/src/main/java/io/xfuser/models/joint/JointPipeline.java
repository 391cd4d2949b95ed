package io.xfuser.models.joint;

import io.xfuser.models.LatentPipeline;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.scheduler.LoopVariants;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * A pipeline of rectified flows, whose noise levels are shifted by the size of the picture.
 *
 * @param <T> the transformer's settings
 */
public abstract class JointPipeline<T> extends LatentPipeline<T, JointConditioning> {
  /** As {@link LatentPipeline}'s. */
  protected JointPipeline(
      PipelineComponents components,
      Map<String, Set<String>> classes,
      Function<ComponentConfig, T> reading) {
    super(components, classes, reading);
  }

  /** What a picture of {@code tokens} asks of its scheduler. */
  protected abstract SchedulerRequest schedule(int steps, int tokens);

  @Override
  protected final SchedulerRequest usualRequest() {
    return schedule(TRIED_STEPS, TRIED_TOKENS);
  }

  @Override
  protected final boolean shifts() {
    return true;
  }

  /** These loops hand the model unscaled samples, whatever the scheduler. */
  @Override
  public final Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.unscaled(super.scheduler(request));
  }
}
