package io.xfuser.models.internal.flux2;

/**
 * How far noise levels are shifted for a picture of so many tokens in so many steps. Source:
 * diffusers {@code pipeline_flux2.py}, {@code compute_empirical_mu}.
 */
final class EmpiricalShift {
  private static final int LARGE = 4300; // tokens, from which on steps do not count
  private static final int FEW = 10; // steps
  private static final int MANY = 200;

  private EmpiricalShift() {}

  static double mu(int tokens, int steps) {
    double many = 0.00016927 * tokens + 0.45666666;
    if (tokens > LARGE) {
      return many;
    }
    double few = 8.73809524e-05 * tokens + 1.89833333;
    double slope = (many - few) / (MANY - FEW);
    return slope * steps + (many - MANY * slope);
  }
}
