package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import org.jspecify.annotations.Nullable;

/** Does what another scheduler does; implementations change some of it. */
public interface ForwardingScheduler extends Scheduler {
  Scheduler inner();

  @Override
  default String name() {
    return inner().name();
  }

  @Override
  default double[] timesteps() {
    return inner().timesteps();
  }

  @Override
  default double initialNoiseSigma() {
    return inner().initialNoiseSigma();
  }

  @Override
  default NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    return inner().scaleInput(owner, tokens, step);
  }

  @Override
  default boolean stochastic() {
    return inner().stochastic();
  }

  @Override
  default int draws(int step) {
    return inner().draws(step);
  }

  @Override
  default ElementType sampleType(ElementType run, boolean begun) {
    return inner().sampleType(run, begun);
  }

  @Override
  default ElementType noiseType(ElementType run) {
    return inner().noiseType(run);
  }

  @Override
  default boolean noisesPictures() {
    return inner().noisesPictures();
  }

  @Override
  default NDArray noised(NDManager owner, NDArray picture, NDArray noise, int step) {
    return inner().noised(owner, picture, noise, step);
  }

  @Override
  default Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
    return inner().step(owner, sample, prediction, noise);
  }

  @Override
  default @Nullable NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    return inner().original(owner, sample, prediction);
  }

  @Override
  default @Nullable NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    return inner().preview(owner, sample, prediction);
  }
}
