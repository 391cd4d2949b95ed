package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;

/** What DDIM and DDPM have in common: timesteps of the training schedule, and clipping. */
abstract sealed class DiffusionSolver implements Scheduler permits Ddim, Ddpm {
  final DiffusionSteps steps;

  DiffusionSolver(DiffusionSteps steps) {
    this.steps = steps;
  }

  @Override
  public double[] timesteps() {
    return steps.exactTimesteps();
  }

  @Override
  public NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    return steps.original(owner, sample, prediction);
  }
}
