package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import org.jspecify.annotations.Nullable;

/** What solvers in the noise per unit of picture have in common (arXiv 2206.00364). */
abstract sealed class EulerSolver implements Scheduler permits EulerAncestral, EulerDiscrete, Heun {
  final String predictionType;
  final EulerSigmas sigmas;

  EulerSolver(String predictionType, EulerSigmas sigmas) {
    this.predictionType = predictionType;
    this.sigmas = sigmas;
  }

  @Override
  public double[] timesteps() {
    return sigmas.timesteps().clone();
  }

  @Override
  public double initialNoiseSigma() {
    return sigmas.initial();
  }

  @Override
  public NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    return Steps.PROGRAM.call(owner, "divide", tokens, new double[] {sigmas.divisor(step)});
  }

  @Override
  public @Nullable NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    double[] coefficients = sigmas.ofOriginal(Steps.next(sample, sigmas.timesteps().length));
    return Steps.PROGRAM.call(
        owner, "euler_last", predictionType, sample.tokens(), prediction, coefficients);
  }
}
