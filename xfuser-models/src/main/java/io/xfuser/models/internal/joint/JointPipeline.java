package io.xfuser.models.internal.joint;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.FlowPipeline;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.adapter.Adapters;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.function.Function;

/**
 * A pipeline of rectified flows, whose transformer attends text and image jointly.
 *
 * @param <T> the transformer's settings
 */
public abstract class JointPipeline<T> extends FlowPipeline<T, JointConditioning> {
  /** As {@link FlowPipeline}'s. */
  protected JointPipeline(
      Kind kind, PipelineComponents components, Needs needs, Function<ComponentConfig, T> reading) {
    super(kind, components, needs, reading);
  }

  /** The latents of a picture of {@code size}, which diffusers packs. */
  protected final LatentShape packed(Size size, int channels, int patch) {
    return latents(size, 1, channels, new Patchify(patch), LatentShape.Layout.PACKED);
  }

  /**
   * The adapters of a transformer of two streams, handed out on the device of {@code placement}.
   *
   * @throws ModelException if one is not made for this transformer
   */
  protected final List<PictureAdapter> adapters(StreamConfig config, Placement placement) {
    return adapters().all().stream()
        .map(one -> adapter(one, config, one.weights().handedOut(placement)))
        .toList();
  }

  private static PictureAdapter adapter(
      Adapters.Adapter adapter, StreamConfig config, Weights weights) {
    long[] shape = adapter.matrix(PictureAdapter.PROJECTION);
    return new PictureAdapter(
        weights,
        shape[1],
        shape[0] / config.textWidth() * config.textWidth(),
        adapter.scales(config.doubleBlocks(), 1));
  }

  /**
   * Refuses adapters of another transformer, or of another picture encoder, without reading
   * weights.
   *
   * @throws ModelException naming the file and what does not fit
   */
  protected final void checkAdapters(StreamConfig config) {
    for (Adapters.Adapter one : adapters().all()) {
      PictureAdapter adapter = adapter(one, config, one.weights().promised());
      List<PictureAdapter> alone = List.of(adapter);
      WeightMap.of(adapter.weights(), w -> PictureAdapter.projections(w, alone, config.textWidth()))
          .close();
      for (int i = 0; i < config.doubleBlocks(); i++) {
        int index = i;
        WeightMap.of(
                adapter.weights(),
                w -> PictureAdapter.block(w, alone, index, config.heads(), config.textWidth()))
            .close();
      }
      checkEyes(adapter.seen());
    }
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
