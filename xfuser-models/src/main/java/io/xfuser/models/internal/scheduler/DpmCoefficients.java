package io.xfuser.models.internal.scheduler;

import java.util.Arrays;

/**
 * The weights of a DPM-Solver step, in float32 as diffusers computes them. h is the step in lambda,
 * t its end and s its start. Source: arXiv 2206.00927, 2211.01095, and 2211.01095's appendix for
 * the stochastic variants.
 */
final class DpmCoefficients {
  /**
   * {@code algorithm_type}: whether the picture is predicted or the noise, with noise or without.
   */
  enum Algorithm {
    DPM_SOLVER_PLUS_PLUS("dpmsolver++"),
    SDE_DPM_SOLVER_PLUS_PLUS("sde-dpmsolver++"),
    DPM_SOLVER("dpmsolver"),
    SDE_DPM_SOLVER("sde-dpmsolver");

    private final String setting;

    Algorithm(String setting) {
      this.setting = setting;
    }

    static Algorithm of(SchedulerSettings options) {
      String name =
          options.oneOf(
              "algorithm_type",
              "dpmsolver++",
              "sde-dpmsolver++",
              "dpmsolver",
              "sde-dpmsolver",
              DEIS);
      for (Algorithm algorithm : values()) {
        if (algorithm.setting.equals(name)) {
          return algorithm;
        }
      }
      return DPM_SOLVER_PLUS_PLUS; // as diffusers reads the configuration of a DEIS solver
    }

    boolean predictsPicture() {
      return this == DPM_SOLVER_PLUS_PLUS || this == SDE_DPM_SOLVER_PLUS_PLUS;
    }

    boolean stochastic() {
      return this == SDE_DPM_SOLVER_PLUS_PLUS || this == SDE_DPM_SOLVER;
    }
  }

  private static final String DEIS = "deis";

  private final SolverTables tables;
  private final Algorithm algorithm;
  private final boolean heun;

  /**
   * Takes the levels.
   *
   * @param heun the second-order variant, else midpoint
   */
  DpmCoefficients(SolverTables tables, Algorithm algorithm, boolean heun) {
    this.tables = tables;
    this.algorithm = algorithm;
    this.heun = heun;
  }

  /**
   * What {@code multistep} of steps.py takes for this order: the weights of the sample, of the
   * newest prediction and of its differences, then the ratios of these, at last the weight of noise
   * where the algorithm is stochastic.
   */
  double[] of(int step, int order) {
    float h = tables.h(step);
    SolverWeights w = weights(step, h);
    double[] weights;
    if (order == 1) {
      weights = new double[] {w.sample, w.newest};
    } else {
      float ratio = tables.h(step - 1) / h; // r_0
      if (order == 2) {
        weights = new double[] {w.sample, w.newest, heun ? w.slope : w.half, 1 / ratio};
      } else {
        float earlier = tables.h(step - 2) / h; // r_1
        float both = ratio + earlier;
        weights =
            new double[] {
              w.sample,
              w.newest,
              w.slope,
              w.curvature,
              1 / ratio,
              1 / earlier,
              ratio / both,
              1 / both
            };
      }
    }
    if (!algorithm.stochastic()) {
      return weights;
    }
    double[] noisy = Arrays.copyOf(weights, weights.length + 1);
    noisy[weights.length] = w.noise;
    return noisy;
  }

  /** Of sample and newest prediction; of the first difference, in both variants; of the second. */
  private record SolverWeights(
      float sample, float newest, float half, float slope, float curvature, float noise) {}

  private SolverWeights weights(int step, float h) {
    float alpha = tables.alpha()[step + 1];
    float sigma = tables.sigma()[step + 1];
    float byNoise = sigma / tables.sigma()[step];
    float byPicture = alpha / tables.alpha()[step];
    switch (algorithm) {
      case DPM_SOLVER_PLUS_PLUS -> {
        float decay = Float32.exp(-h);
        float gain = alpha * (decay - 1);
        float slope = alpha * ((decay - 1) / h + 1);
        float curvature = alpha * ((decay - 1 + h) / (h * h) - 0.5f);
        return new SolverWeights(byNoise, -gain, -0.5f * gain, slope, -curvature, 0);
      }
      case SDE_DPM_SOLVER_PLUS_PLUS -> {
        float decay = Float32.exp(-2 * h);
        float gain = alpha * (1 - decay);
        float slope = alpha * ((1 - decay) / (-2 * h) + 1);
        float curvature = alpha * ((1 - decay - 2 * h) / (2 * h * (2 * h)) - 0.5f);
        float noise = sigma * Float32.sqrt(1 - decay);
        return new SolverWeights(
            byNoise * Float32.exp(-h), gain, 0.5f * gain, slope, curvature, noise);
      }
      case DPM_SOLVER -> {
        float growth = Float32.exp(h);
        float gain = sigma * (growth - 1);
        float slope = sigma * ((growth - 1) / h - 1);
        float curvature = sigma * ((growth - 1 - h) / (h * h) - 0.5f);
        return new SolverWeights(byPicture, -gain, -0.5f * gain, -slope, -curvature, 0);
      }
      default -> {
        float growth = Float32.exp(h);
        float gain = sigma * (growth - 1);
        float slope = -2 * (sigma * ((growth - 1) / h - 1));
        float noise = sigma * Float32.sqrt(Float32.exp(2 * h) - 1);
        return new SolverWeights(byPicture, -2 * gain, -gain, slope, 0, noise);
      }
    }
  }
}
