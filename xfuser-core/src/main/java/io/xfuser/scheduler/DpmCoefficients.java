package io.xfuser.scheduler;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;

/**
 * The weights of a DPM-Solver++ step, in float32 as diffusers computes them. With lambda =
 * log(alpha / sigma), h is the step in lambda, t its end and s its start. Source: arXiv 2211.01095.
 */
final class DpmCoefficients {
  private static final Program PROGRAM = Program.load(DpmCoefficients.class, "noise.py");

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
    try (NDManager scope = Torch.newManager()) {
      NDList tables = PROGRAM.callList(scope, "solver_tables", scope.create(sigmas), flow);
      alpha = tables.get(0).toFloatArray();
      sigma = tables.get(1).toFloatArray();
      h = tables.get(2).toFloatArray();
      decay = tables.get(3).toFloatArray();
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
