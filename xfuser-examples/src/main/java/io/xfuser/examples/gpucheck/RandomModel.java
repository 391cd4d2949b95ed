package io.xfuser.examples.gpucheck;

import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineModel;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.function.Function;

/**
 * A pipeline with another transformer.
 *
 * @param model all of it but the transformer
 * @param transformers makes the transformer in a place
 * @param <C> the transformer's conditioning
 */
record RandomModel<C>(PipelineModel<?> model, Function<Placement, TransformerSpec<C>> transformers)
    implements PipelineModel.Forwarding<C> {
  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return transformers.apply(placement);
  }

  /** There is but one. */
  @Override
  public List<Handover> handovers(GenerationRequest request) {
    return List.of();
  }
}
