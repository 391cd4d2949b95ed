package io.xfuser.models.internal.scheduler;

import io.xfuser.scheduler.Scheduler;

/** What solvers that keep earlier predictions have in common. */
abstract sealed class MultistepSolver implements Scheduler permits Deis, DpmSolverMultistep, UniPc {
  final MultistepSigmas sigmas;

  MultistepSolver(MultistepSigmas sigmas) {
    this.sigmas = sigmas;
  }

  @Override
  public double[] timesteps() {
    return sigmas.timesteps().clone();
  }
}
