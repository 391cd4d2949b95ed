package io.xfuser.scheduler;

/**
 * The weights of a DPM-Solver++ step, in float32 as diffusers computes them. With lambda =
 * log(alpha / sigma), h is the step in lambda, t its end and s its start. Source: arXiv 2211.01095.
 */
final class DpmCoefficients {
  private final boolean heun;
  private final float[] alpha; // (n + 1)
  private final float[] sigma; // (n + 1)
  private final float[] h; // (n)
  private final float[] decay; // (n), exp(−h)

  /**
   * Prepares all steps.
   *
   * @param sigmas noise levels, (n + 1)
   * @param flow whether alpha is 1 − sigma
   * @param heun the second-order variant, else midpoint
   */
  DpmCoefficients(float[] sigmas, boolean flow, boolean heun) {
    this.heun = heun;
    int steps = sigmas.length - 1;
    alpha = new float[steps + 1];
    sigma = new float[steps + 1];
    float[] lambda = new float[steps + 1];
    for (int i = 0; i <= steps; i++) {
      alpha[i] = flow ? 1 - sigmas[i] : 1 / Float32.sqrt(sigmas[i] * sigmas[i] + 1);
      sigma[i] = flow ? sigmas[i] : sigmas[i] * alpha[i];
      lambda[i] = Float32.log(alpha[i]) - Float32.log(sigma[i]);
    }
    h = new float[steps];
    decay = new float[steps];
    for (int i = 0; i < steps; i++) {
      h[i] = lambda[i + 1] - lambda[i];
      decay[i] = Float32.exp(-h[i]);
    }
  }

  float alpha(int step) {
    return alpha[step];
  }

  float sigma(int step) {
    return sigma[step];
  }

  /** What {@code multistep} of steps.py takes for this order. */
  double[] of(int step, int order) {
    float sampleWeight = sigma[step + 1] / sigma[step];
    float gain = alpha[step + 1] * (decay[step] - 1); // α_t (e^−h − 1)
    if (order == 1) {
      return new double[] {sampleWeight, -gain};
    }
    float ratio = h[step - 1] / h[step]; // r_0
    float slope = alpha[step + 1] * ((decay[step] - 1) / h[step] + 1);
    if (order == 2) {
      return new double[] {sampleWeight, -gain, heun ? slope : -0.5f * gain, 1 / ratio};
    }
    float earlierRatio = h[step - 2] / h[step]; // r_1
    float both = ratio + earlierRatio;
    float squared = h[step] * h[step];
    float curvature = alpha[step + 1] * ((decay[step] - 1 + h[step]) / squared - 0.5f);
    return new double[] {
      sampleWeight, -gain, slope, -curvature, 1 / ratio, 1 / earlierRatio, ratio / both, 1 / both
    };
  }
}
