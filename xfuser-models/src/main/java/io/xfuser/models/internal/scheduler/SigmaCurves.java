package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.numbers.gamma.RegularizedBeta;

/** Ways to space noise levels between a largest and a smallest one; all descend. */
final class SigmaCurves {
  /** The settings, of which at most one may be true. */
  private static final List<String> NAMES =
      List.of("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas");

  private static final double RHO = 7;

  /** Of the beta distribution, alpha and beta alike. */
  private static final double SHAPE = 0.6;

  /** Halvings of [0, 1] until nothing is left that float64 shows beside 1. */
  private static final int HALVINGS = 60;

  private SigmaCurves() {}

  /** Refuses two curves at once. */
  static void check(SchedulerSettings options) {
    List<String> chosen = NAMES.stream().filter(options::isTrue).toList();
    if (chosen.size() > 1) {
      throw new ModelException(
          options.config().origin() + ": " + String.join(" and ", chosen) + " exclude each other");
    }
  }

  /**
   * {@code count} levels of the curve that {@code options} ask for, empty if they ask for none.
   *
   * @param largest the first, unless the settings have a {@code sigma_max}
   * @param smallest the last, unless the settings have a {@code sigma_min}
   */
  static Optional<double[]> of(
      SchedulerSettings options, double largest, double smallest, int count) {
    ComponentConfig config = options.config();
    double first = config.getDouble("sigma_max", largest);
    double last = config.getDouble("sigma_min", smallest);
    if (options.isTrue("use_karras_sigmas")) {
      return Optional.of(karras(first, last, count));
    }
    if (options.isTrue("use_exponential_sigmas")) {
      if (Math.min(first, last) <= 0) {
        throw new ModelException(
            "%s: use_exponential_sigmas needs noise levels above 0, but here they go from %s to %s"
                .formatted(config.origin(), first, last));
      }
      return Optional.of(exponential(first, last, count));
    }
    return options.isTrue("use_beta_sigmas")
        ? Optional.of(beta(first, last, count))
        : Optional.empty();
  }

  /** arXiv 2206.00364, eq. 5. */
  private static double[] karras(double largest, double smallest, int count) {
    double from = StrictMath.pow(largest, 1 / RHO);
    double to = StrictMath.pow(smallest, 1 / RHO);
    return Arrays.stream(Sequences.linear(0, 1, count))
        .map(ramp -> StrictMath.pow(from + ramp * (to - from), RHO))
        .toArray();
  }

  /** Even in the logarithm. */
  private static double[] exponential(double largest, double smallest, int count) {
    return Arrays.stream(Sequences.linear(StrictMath.log(largest), StrictMath.log(smallest), count))
        .map(StrictMath::exp)
        .toArray();
  }

  /** Quantiles of the beta distribution, arXiv 2407.12173. */
  private static double[] beta(double largest, double smallest, int count) {
    return Arrays.stream(Sequences.linear(0, 1, count))
        .map(ramp -> smallest + quantile(1 - ramp) * (largest - smallest))
        .toArray();
  }

  /** Where the beta distribution has {@code probability} below it, to 2⁻⁶⁰. */
  static double quantile(double probability) {
    if (probability <= 0 || probability >= 1) {
      return probability <= 0 ? 0 : 1;
    }
    double low = 0;
    double high = 1;
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (low + high) / 2;
      if (RegularizedBeta.value(middle, SHAPE, SHAPE) < probability) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return (low + high) / 2;
  }

  /** Even in the logarithm, which the arguments are, arXiv 2206.00927. */
  static double[] lu(double largestLog, double smallestLog, int count) {
    return Arrays.stream(Sequences.linear(0, 1, count))
        .map(ramp -> StrictMath.exp(largestLog + ramp * (smallestLog - largestLog)))
        .toArray();
  }
}
