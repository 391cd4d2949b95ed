package io.xfuser.examples.gpucheck;

import io.xfuser.config.InputConfig;
import io.xfuser.pipeline.GenerationRequest;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.VaeDecoder;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.function.Function;

/**
 * A pipeline with another transformer.
 *
 * @param rest all of it but the transformer
 * @param transformers makes the transformer in a place
 * @param <C> the transformer's conditioning
 */
record RandomModel<C>(PipelineModel<?> rest, Function<Placement, TransformerSpec<C>> transformers)
    implements PipelineModel<C> {
  @Override
  public String name() {
    return rest.name();
  }

  @Override
  public GenerationRequest resolve(InputConfig input) {
    return rest.resolve(input);
  }

  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return transformers.apply(placement);
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return rest.textEncoder(placement, share);
  }

  @Override
  public boolean hasT5() {
    return rest.hasT5();
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    return rest.vaeDecoder(placement);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return rest.scheduler(request);
  }

  @Override
  public void close() {
    rest.close();
  }
}
