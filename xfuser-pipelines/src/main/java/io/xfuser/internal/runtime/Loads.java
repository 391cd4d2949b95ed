package io.xfuser.internal.runtime;

import io.xfuser.config.Offload;
import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.nn.Range;
import io.xfuser.progress.Progress;
import io.xfuser.progress.Progress.Component;
import io.xfuser.weights.Share;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What one rank loads, and how far that is. The bytes that are to be read are those of the whole
 * component where the rank needs all of it, else its part of them, about.
 *
 * @param pipeline the components in the rank's place
 * @param holding when weights are in memory
 * @param told hears of the progress, and throws what ends it
 */
public record Loads<C>(PlacedPipeline<C> pipeline, Holding holding, Consumer<Progress> told) {
  /** {@code share} of these blocks of a transformer, and what belongs to them. */
  public PipelineStage<C> stage(int number, Range blocks, Share share) {
    LoadedTransformer<C> transformer = pipeline.transformers().get(number);
    long parts = (long) transformer.spec().depth() * share.parts() * pipeline.transformers().size();
    long total = bytes(Component.TRANSFORMER) * blocks.length() / parts;
    PipelineStage<C> stage =
        during(
            Component.TRANSFORMER,
            total,
            () -> PipelineStage.of(transformer, blocks, share, holding.by(pipeline)));
    told.accept(new Progress.Loading(Component.TRANSFORMER, total, total));
    return stage;
  }

  /** {@code share} of the text encoder, for as long as it is used. */
  public Shared.Lease<TextEncoder> textEncoder(Share share) {
    long total = bytes(Component.TEXT_ENCODER) / share.parts();
    return lease(Component.TEXT_ENCODER, total, pipeline.textEncoder(share));
  }

  /** The decoder, for as long as it is used. */
  public Shared.Lease<VaeDecoder> decoder() {
    return lease(Component.DECODER, bytes(Component.DECODER), pipeline.vaeDecoder());
  }

  /** The encoder of pictures, for as long as it is used. */
  public Shared.Lease<VaeEncoder> encoder() {
    return lease(Component.ENCODER, bytes(Component.ENCODER), pipeline.vaeEncoder());
  }

  /** What sees pictures that are prompts, for as long as it is used. */
  public Shared.Lease<PictureEncoder> pictureEncoder() {
    long total = bytes(Component.PICTURE_ENCODER);
    return lease(Component.PICTURE_ENCODER, total, pipeline.pictureEncoder());
  }

  private long bytes(Component component) {
    return Math.max(1, pipeline.model().bytes(component));
  }

  private <T extends AutoCloseable> Shared.Lease<T> lease(
      Component component, long total, Shared<T> shared) {
    Shared.Lease<T> lease =
        during(component, total, () -> shared.lease(holding.offload() == Offload.NONE));
    try {
      told.accept(new Progress.Loading(component, total, total));
      return lease;
    } catch (RuntimeException | Error e) {
      lease.close();
      throw e;
    }
  }

  private <T> T during(Component component, long total, Supplier<T> loading) {
    told.accept(new Progress.Loading(component, 0, total));
    return ReadBytes.told(
        read -> told.accept(new Progress.Loading(component, Math.min(read, total - 1), total)),
        loading);
  }
}
