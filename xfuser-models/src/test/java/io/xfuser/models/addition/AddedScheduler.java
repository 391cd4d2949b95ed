package io.xfuser.models.addition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Takes a share of the prediction from the sample in each step. */
record AddedScheduler(int steps) implements Scheduler {
  @Override
  public double[] timesteps() {
    return IntStream.range(0, steps).mapToDouble(step -> 999.0 - step).toArray();
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray change = Torch.alias(scope, prediction).div(2f * steps);
      NDArray next = Torch.copy(owner, Torch.alias(scope, sample.tokens()).sub(change));
      return new Sample(next, List.of(), sample.step() + 1);
    }
  }

  /** Makes it. */
  public static final class Provider implements SchedulerProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("AddedScheduler");
    }

    @Override
    public Set<Ability> abilities() {
      return Set.of();
    }

    @Override
    public Scheduler open(ComponentConfig config, SchedulerRequest request) {
      return new AddedScheduler(request.steps());
    }
  }
}
