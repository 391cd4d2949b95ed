package io.xfuser.models.internal.joint;

import io.xfuser.failure.ArgumentException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.FlowPipeline;
import io.xfuser.models.internal.Needs;
import io.xfuser.weights.ComponentConfig;
import java.util.function.Function;

/**
 * A pipeline of rectified flows, whose transformer attends text and image jointly.
 *
 * @param <T> the transformer's settings
 */
public abstract class JointPipeline<T> extends FlowPipeline<T, JointConditioning> {
  /** As {@link FlowPipeline}'s. */
  protected JointPipeline(
      PipelineComponents components, Needs needs, Function<ComponentConfig, T> reading) {
    super(components, needs, reading);
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
          "%s: latent_channels is %d, but the transformer's tokens of %d are 2 by 2 latents of %d"
              .formatted(vae().origin(), vae().latentChannels(), width, channels));
    }
  }
}
