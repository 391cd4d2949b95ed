package io.xfuser.models.internal.joint;

import io.xfuser.failure.ArgumentException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import java.util.function.Function;

/**
 * A pipeline of rectified flows, whose noise levels are shifted by the size of the picture.
 *
 * @param <T> the transformer's settings
 */
public abstract class JointPipeline<T> extends LatentPipeline<T, JointConditioning> {
  /** As {@link LatentPipeline}'s. */
  protected JointPipeline(
      PipelineComponents components, Needs needs, Function<ComponentConfig, T> reading) {
    super(components, needs, reading);
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

  /**
   * Refuses an autoencoder whose latents are not what the transformer takes.
   *
   * @param channels of latents, as the transformer has them
   * @param width of its tokens, 2 by 2 latents each
   */
  protected final void requireLatents(int channels, int width) {
    if (vae().latentChannels() != channels) {
      throw new ArgumentException(
          "%s: latent_channels is %d, but the transformer's in_channels %d are 2 by 2 latents of %d"
              .formatted(vae().origin(), vae().latentChannels(), width, channels));
    }
  }
}
