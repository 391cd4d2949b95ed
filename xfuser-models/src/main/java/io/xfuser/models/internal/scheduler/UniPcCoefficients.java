package io.xfuser.models.internal.scheduler;

import java.util.Arrays;

/**
 * The weights of UniPC's predictor and corrector, in float32 as diffusers computes them. Source:
 * arXiv 2302.04867, algorithms 5 to 8.
 *
 * @param linear of the sample, of the newest prediction and of all differences, then the distances
 *     of earlier predictions in lambda over the step
 * @param differences of each earlier prediction's difference from the newest, and for the corrector
 *     that of the next one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record UniPcCoefficients(double[] linear, double[] differences) {

  /**
   * What a solver is made of.
   *
   * @param tables of all levels
   * @param picture whether the picture is predicted, else the noise
   * @param first whether B(h) is h, else e^h − 1
   */
  record Solver(SolverTables tables, boolean picture, boolean first) {
    /** From level {@code step} to the next, by {@code order} predictions. */
    UniPcCoefficients predictor(int step, int order) {
      float[] distances = distances(step, order);
      float[] b = b(step, order);
      double[] weights;
      if (order <= 2) {
        weights = order == 1 ? new double[0] : new double[] {0.5};
      } else {
        weights = solve(distances, b, order - 1);
      }
      return new UniPcCoefficients(linear(step, distances, order), weights);
    }

    /** The same step anew, with the prediction at its end. */
    UniPcCoefficients corrector(int step, int order) {
      float[] distances = distances(step, order);
      double[] weights = order == 1 ? new double[] {0.5} : solve(distances, b(step, order), order);
      return new UniPcCoefficients(linear(step, distances, order), weights);
    }

    /** r_k, and 1 for the end of the step, (order). */
    private float[] distances(int step, int order) {
      float[] distances = new float[order];
      float start = tables.lambda()[step];
      for (int k = 1; k < order; k++) {
        distances[k - 1] = (tables.lambda()[step - k] - start) / tables.h(step);
      }
      distances[order - 1] = 1;
      return distances;
    }

    private double[] linear(int step, float[] distances, int order) {
      float[] signal = picture ? tables.sigma() : tables.alpha();
      float share = picture ? tables.alpha()[step + 1] : tables.sigma()[step + 1];
      double[] linear = new double[order + 2];
      linear[0] = signal[step + 1] / signal[step];
      linear[1] = share * Float32.expm1(h(step));
      linear[2] = share * scale(step);
      for (int k = 0; k < order - 1; k++) {
        linear[3 + k] = distances[k];
      }
      return linear;
    }

    private float h(int step) {
      return picture ? -tables.h(step) : tables.h(step);
    }

    /** B(h). */
    private float scale(int step) {
      return first ? h(step) : Float32.expm1(h(step));
    }

    /** The right side, k!·φ_{k+1}(h)·h/B(h) for k = 1 … order. */
    private float[] b(int step, int order) {
      float[] b = new float[order];
      float h = h(step);
      float phi = Float32.expm1(h) / h - 1;
      int factorial = 1;
      for (int i = 1; i <= order; i++) {
        b[i - 1] = phi * factorial / scale(step);
        factorial *= i + 1;
        phi = phi / h - (float) (1.0 / factorial);
      }
      return b;
    }
  }

  /** Whether the step can be computed: differences are divided by the distances. */
  boolean finite() {
    return Arrays.stream(linear).allMatch(Double::isFinite)
        && Arrays.stream(linear).skip(3).noneMatch(distance -> distance == 0)
        && Arrays.stream(differences).allMatch(Double::isFinite);
  }

  /** Σ_j r_j^i w_j = b_i for i = 0 … count − 1, by elimination; at most 3 unknowns. */
  private static double[] solve(float[] r, float[] b, int count) {
    double[][] rows = new double[count][count + 1];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        rows[i][j] = i == 0 ? 1 : (float) StrictMath.pow(r[j], i);
      }
      rows[i][count] = b[i];
    }
    for (int pivot = 0; pivot < count; pivot++) {
      for (int i = pivot + 1; i < count; i++) {
        double factor = rows[i][pivot] / rows[pivot][pivot];
        for (int j = pivot; j <= count; j++) {
          rows[i][j] -= factor * rows[pivot][j];
        }
      }
    }
    double[] weights = new double[count];
    for (int i = count - 1; i >= 0; i--) {
      double rest = rows[i][count];
      for (int j = i + 1; j < count; j++) {
        rest -= rows[i][j] * weights[j];
      }
      weights[i] = rest / rows[i][i];
    }
    return weights;
  }
}
