package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.scheduler.ForwardingScheduler;
import io.xfuser.pipeline.ForwardingModel;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A model that counts the steps of all ranks; the whole model is not its to close. */
record CountedSteps<C>(PipelineModel<C> whole, AtomicInteger taken) implements ForwardingModel<C> {
  @Override
  public PipelineModel<?> model() {
    return whole;
  }

  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return whole.transformer(placement);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return new CountingScheduler(whole.scheduler(request), taken);
  }

  @Override
  public void close() {}

  private record CountingScheduler(Scheduler inner, AtomicInteger taken)
      implements ForwardingScheduler {
    @Override
    public Sample step(
        NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
      taken.incrementAndGet();
      return inner.step(owner, sample, prediction, noise);
    }
  }
}
