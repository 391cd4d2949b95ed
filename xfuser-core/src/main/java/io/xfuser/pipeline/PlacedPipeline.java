package io.xfuser.pipeline;

import io.xfuser.transformer.LoadedTransformer;
import io.xfuser.transformer.Shared;
import io.xfuser.weights.Placement;

/**
 * A pipeline's components in one place. The ranks of this process that compute there share them;
 * what is not asked for is not loaded.
 *
 * @param model makes them
 * @param placement where their weights are
 * @param <C> the model's conditioning
 */
record PlacedPipeline<C>(
    PipelineModel<C> model,
    Placement placement,
    LoadedTransformer<C> transformer,
    Shared<TextEncoder> textEncoder,
    Shared<VaeDecoder> vaeDecoder)
    implements AutoCloseable {

  static <C> PlacedPipeline<C> of(PipelineModel<C> model, Placement placement) {
    return new PlacedPipeline<>(
        model,
        placement,
        new LoadedTransformer<>(model.transformer(placement)),
        new Shared<>(() -> model.textEncoder(placement)),
        new Shared<>(() -> model.vaeDecoder(placement)));
  }

  @Override
  public void close() {
    transformer.close();
    textEncoder.close();
    vaeDecoder.close();
  }
}
