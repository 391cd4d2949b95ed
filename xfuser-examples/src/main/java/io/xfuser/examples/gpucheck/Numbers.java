package io.xfuser.examples.gpucheck;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Locale;

/** Numbers as a page shows them. */
final class Numbers {
  private static final MathContext DIGITS = new MathContext(3);

  private Numbers() {}

  /** Three digits: 0.00123, 1.23, 123; whole numbers as they are, very small ones as 1.2e-7. */
  static String text(double x) {
    if (x == Math.rint(x) && Math.abs(x) < 1e9) {
      return String.valueOf((long) x);
    }
    if (!Double.isFinite(x) || Math.abs(x) < 1e-3) {
      return String.format(Locale.ROOT, "%.1e", x);
    }
    return new BigDecimal(x).round(DIGITS).stripTrailingZeros().toPlainString();
  }

  /** {@code sentence} with its {@code %s} replaced; numbers with a fraction by three digits. */
  static String format(String sentence, Object... values) {
    return values.length == 0
        ? sentence
        : String.format(
            Locale.ROOT,
            sentence,
            Arrays.stream(values).map(x -> x instanceof Double d ? text(d) : x).toArray());
  }

  /** The middle one; of an even number the lower one. */
  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(sorted.length - 1) / 2];
  }
}
