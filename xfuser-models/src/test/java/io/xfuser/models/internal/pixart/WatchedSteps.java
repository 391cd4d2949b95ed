package io.xfuser.models.internal.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineModel;
import io.xfuser.models.internal.scheduler.ForwardingScheduler;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model that says each step of each rank, which may throw; the whole model is not its to close.
 */
public record WatchedSteps<C>(PipelineModel<C> whole, Runnable each)
    implements PipelineModel.Forwarding<C> {
  @Override
  public PipelineModel<?> model() {
    return whole;
  }

  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return whole.transformer(placement);
  }

  @Override
  public List<TransformerSpec<C>> transformers(Placement placement) {
    return whole.transformers(placement);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return new WatchedScheduler(whole.scheduler(request), each);
  }

  @Override
  public void close() {}

  private record WatchedScheduler(Scheduler inner, Runnable each) implements ForwardingScheduler {
    @Override
    public Sample step(
        NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
      each.run();
      return inner.step(owner, sample, prediction, noise);
    }
  }
}
