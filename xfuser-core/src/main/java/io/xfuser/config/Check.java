package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import org.jspecify.annotations.Nullable;

/** The checks that the records share; each failure names the setting and its value. */
final class Check {
  private Check() {}

  /** Fails if {@code value} is below {@code least}. */
  static void atLeast(int least, int value, String name) {
    if (value < least) {
      throw new ArgumentException(name + " must be at least " + least + ", but is " + value);
    }
  }

  /** Fails if {@code value} is present and below {@code least}. */
  static void atLeast(int least, @Nullable Integer value, String name) {
    if (value != null) {
      atLeast(least, value.intValue(), name);
    }
  }

  /** Fails if {@code value} is present but infinite or not a number. */
  static void finite(@Nullable Double value, String name) {
    if (value != null && !Double.isFinite(value)) {
      throw new ArgumentException(name + " must be finite, but is " + value);
    }
  }
}
