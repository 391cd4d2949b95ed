package io.xfuser.examples.quality;

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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model whose samples are shown to {@code observer} as they come out of the scheduler, patch
 * after patch; their tensors are only lent.
 */
record ObservedModel<C>(PipelineModel<C> model, Consumer<Sample> observer)
    implements PipelineModel.Forwarding<C> {
  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return model.transformer(placement);
  }

  @Override
  public List<TransformerSpec<C>> transformers(Placement placement) {
    return model.transformers(placement);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return new Observed(model.scheduler(request), observer);
  }

  /** The scheduler, watched. */
  private record Observed(Scheduler inner, Consumer<Sample> observer)
      implements ForwardingScheduler {
    @Override
    public Sample step(
        NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
      Sample next = inner.step(owner, sample, prediction, noise);
      observer.accept(next);
      return next;
    }
  }
}
