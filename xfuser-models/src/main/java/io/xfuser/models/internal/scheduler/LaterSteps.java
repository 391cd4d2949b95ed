package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a scheduler but for its first ones, counted anew.
 *
 * @param begin how many are left out
 */
record LaterSteps(Scheduler inner, int begin) implements ForwardingScheduler {
  @Override
  public double[] timesteps() {
    double[] all = inner.timesteps();
    return Arrays.copyOfRange(all, begin, all.length);
  }

  @Override
  public NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    return inner.scaleInput(owner, tokens, step + begin);
  }

  @Override
  public int draws(int step) {
    return inner.draws(step + begin);
  }

  @Override
  public NDArray noised(NDManager owner, NDArray picture, NDArray noise, int step) {
    return inner.noised(owner, picture, noise, step + begin);
  }

  @Override
  public Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    Sample next = inner.step(owner, moved(sample, begin), prediction, noise);
    return moved(next, -begin);
  }

  @Override
  public @Nullable NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    return inner.original(owner, moved(sample, begin), prediction);
  }

  @Override
  public @Nullable NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    return inner.preview(owner, moved(sample, begin), prediction);
  }

  private static Sample moved(Sample sample, int by) {
    return new Sample(sample.tokens(), sample.history(), sample.step() + by);
  }
}
