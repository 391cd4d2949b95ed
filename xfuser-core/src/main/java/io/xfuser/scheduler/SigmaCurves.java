package io.xfuser.scheduler;

import java.util.Arrays;

/** Ways to space noise levels between a largest and a smallest one; all descend. */
final class SigmaCurves {
  private static final double RHO = 7;

  private SigmaCurves() {}

  /** arXiv 2206.00364, eq. 5. */
  static double[] karras(double largest, double smallest, int count) {
    double from = StrictMath.pow(largest, 1 / RHO);
    double to = StrictMath.pow(smallest, 1 / RHO);
    return Arrays.stream(Sequences.linear(0, 1, count))
        .map(ramp -> StrictMath.pow(from + ramp * (to - from), RHO))
        .toArray();
  }

  /** Even in the logarithm. */
  static double[] exponential(double largest, double smallest, int count) {
    return Arrays.stream(Sequences.linear(StrictMath.log(largest), StrictMath.log(smallest), count))
        .map(StrictMath::exp)
        .toArray();
  }

  /** Even in the logarithm, which the arguments are, arXiv 2206.00927. */
  static double[] lu(double largestLog, double smallestLog, int count) {
    return Arrays.stream(Sequences.linear(0, 1, count))
        .map(ramp -> StrictMath.exp(largestLog + ramp * (smallestLog - largestLog)))
        .toArray();
  }

  /** Refuses two curves at once, and the one that needs the beta distribution's quantiles. */
  static void check(Options options) {
    options.requireFalse("use_beta_sigmas");
    if (options.isTrue("use_karras_sigmas") && options.isTrue("use_exponential_sigmas")) {
      throw new IllegalArgumentException(
          options.config().origin()
              + ": use_karras_sigmas and use_exponential_sigmas exclude each other");
    }
  }
}
