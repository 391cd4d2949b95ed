package io.xfuser.internal.runtime;

import io.xfuser.internal.parallel.World;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.internal.weights.ReadAhead;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A pipeline's components in one place. The ranks of this process that compute there share them;
 * what is not asked for is not loaded.
 *
 * @param model makes them
 * @param placement where their weights are
 * @param transformers in the order in which they take steps
 * @param pictureEncoder sees pictures that are prompts; for models that have one
 * @param texts what is kept of encoded prompts
 * @param <C> the model's conditioning
 */
public record PlacedPipeline<C>(
    PipelineModel<C> model,
    Placement placement,
    List<LoadedTransformer<C>> transformers,
    Map<Share, Shared<TextEncoder>> textEncoders,
    Shared<VaeDecoder> vaeDecoder,
    Shared<VaeEncoder> vaeEncoder,
    Shared<PictureEncoder> pictureEncoder,
    KeptTexts texts)
    implements AutoCloseable {

  /** With nothing loaded. */
  public static <C> PlacedPipeline<C> of(
      PipelineModel<C> model, Placement placement, KeptTexts texts) {
    return new PlacedPipeline<>(
        model,
        placement,
        LoadedTransformer.of(model, placement),
        new ConcurrentHashMap<>(),
        new Shared<>(() -> model.vaeDecoder(placement)),
        new Shared<>(() -> model.vaeEncoder(placement)),
        new Shared<>(() -> model.pictureEncoder(placement).orElseThrow()),
        texts);
  }

  public LoadedTransformer<C> transformer() {
    return transformers.get(0);
  }

  /** Bytes of all weights of transformers that are here. */
  public long transformerBytes() {
    return transformers.stream().mapToLong(LoadedTransformer::parameterBytes).sum();
  }

  /** {@code share} of the text encoder, one for all ranks here that need it. */
  Shared<TextEncoder> textEncoder(Share share) {
    return textEncoders.computeIfAbsent(
        share, part -> new Shared<>(() -> model.textEncoder(placement, part)));
  }

  /** Bytes of all weights of text encoders that are here. */
  public long textEncoderBytes() {
    return textEncoders.values().stream()
        .mapToLong(encoder -> encoder.bytes(TextEncoder::parameterBytes))
        .sum();
  }

  /** Bytes of the weights of what sees pictures that are prompts, if it is here. */
  public long pictureEncoderBytes() {
    return pictureEncoder.bytes(PictureEncoder::parameterBytes);
  }

  /** {@code world}, whose collectives hold up what is read ahead for the ranks here. */
  public World observed(World world) {
    Prefetcher prefetcher = placement.prefetcher();
    return prefetcher == null
        ? world
        : world.through(inner -> new CollectiveTransport(inner, prefetcher.collectives()));
  }

  /** What the calling thread has had read ahead so far. */
  ReadAhead readAhead() {
    Prefetcher prefetcher = placement.prefetcher();
    return prefetcher == null ? ReadAhead.NONE : prefetcher.tally();
  }

  void closeText() {
    textEncoders.values().forEach(Shared::close);
  }

  @Override
  public void close() {
    transformers.forEach(LoadedTransformer::close);
    closeText();
    vaeDecoder.close();
    vaeEncoder.close();
    pictureEncoder.close();
    texts.close();
  }
}
