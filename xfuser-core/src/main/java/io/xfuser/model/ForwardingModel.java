package io.xfuser.model;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.internal.weights.Lora;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Has the components of another model but for its transformer; implementations change some of them.
 *
 * @param <C> the transformer's conditioning
 */
public interface ForwardingModel<C> extends PipelineModel<C> {
  /** The other model, which is closed with this one. */
  PipelineModel<?> model();

  @Override
  default String name() {
    return model().name();
  }

  @Override
  default GenerationRequest resolve(InputConfig input) {
    return model().resolve(input);
  }

  @Override
  default TextEncoder textEncoder(Placement placement, Share share) {
    return model().textEncoder(placement, share);
  }

  @Override
  default List<String> shareableTextEncoders() {
    return model().shareableTextEncoders();
  }

  @Override
  default VaeDecoder vaeDecoder(Placement placement) {
    return model().vaeDecoder(placement);
  }

  @Override
  default VaeEncoder vaeEncoder(Placement placement) {
    return model().vaeEncoder(placement);
  }

  @Override
  default VaeDecoder.Footprint encoderSize() {
    return model().encoderSize();
  }

  @Override
  default void check(VaeDecoder.DecodeOptions options) {
    model().check(options);
  }

  @Override
  default VaeDecoder.Footprint decoderSize() {
    return model().decoderSize();
  }

  @Override
  default Set<Progress.Component> changedBy(Lora lora, boolean lenient) {
    return model().changedBy(lora, lenient);
  }

  @Override
  default Set<Setting<?>> settings() {
    return model().settings();
  }

  @Override
  default Set<Integer> leftOut(GenerationRequest request) {
    return model().leftOut(request);
  }

  @Override
  default Scheduler scheduler(SchedulerRequest request) {
    return model().scheduler(request);
  }

  @Override
  default Map<String, String> contents() {
    return model().contents();
  }

  @Override
  default void close() {
    model().close();
  }

  @Override
  default long bytes(Progress.Component component) {
    return model().bytes(component);
  }
}
