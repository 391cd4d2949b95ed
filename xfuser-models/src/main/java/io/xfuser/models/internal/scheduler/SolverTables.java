package io.xfuser.models.internal.scheduler;

/**
 * What multistep solvers know of each noise level, in float32 as diffusers computes it: the shares
 * of picture and noise, and lambda = log(alpha / sigma). Source: arXiv 2206.00927.
 *
 * @param alpha share of the picture, (n + 1)
 * @param sigma share of the noise, (n + 1)
 * @param lambda half the logarithm of their squares' ratio, (n + 1); infinite without noise
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SolverTables(float[] alpha, float[] sigma, float[] lambda) {
  static SolverTables of(MultistepSigmas sigmas) {
    float[] levels = sigmas.values();
    float[] alpha = new float[levels.length];
    float[] sigma = new float[levels.length];
    float[] lambda = new float[levels.length];
    for (int i = 0; i < levels.length; i++) {
      alpha[i] = sigmas.flow() ? 1 - levels[i] : 1 / Float32.sqrt(levels[i] * levels[i] + 1);
      sigma[i] = sigmas.flow() ? levels[i] : levels[i] * alpha[i];
      lambda[i] = Float32.log(alpha[i]) - Float32.log(sigma[i]);
    }
    return new SolverTables(alpha, sigma, lambda);
  }

  /** The step in lambda from level {@code step} to the next. */
  float h(int step) {
    return lambda[step + 1] - lambda[step];
  }
}
