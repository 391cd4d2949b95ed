package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;

/** What solvers that keep earlier predictions have in common. */
abstract sealed class MultistepSolver implements Scheduler permits Deis, DpmSolverMultistep, UniPc {
  final MultistepSigmas sigmas;
  final SolverTables tables;
  final Prediction prediction;

  /** {@code picture}: whether earlier predictions are kept as pictures, not as noise. */
  MultistepSolver(SchedulerSettings options, MultistepSigmas sigmas, boolean picture) {
    this.sigmas = sigmas;
    this.tables = SolverTables.of(sigmas);
    this.prediction = Prediction.of(options, picture, sigmas, tables);
  }

  @Override
  public double[] timesteps() {
    return sigmas.timesteps().clone();
  }

  @Override
  public NDArray preview(NDManager owner, Sample sample, NDArray predicted) {
    return prediction.ofPicture().convert(owner, sample.tokens(), predicted, sample.step());
  }
}
