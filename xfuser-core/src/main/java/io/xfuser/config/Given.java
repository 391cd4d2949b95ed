package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import org.jspecify.annotations.Nullable;

/** What callers must give. */
final class Given {
  private Given() {}

  /**
   * {@code value}.
   *
   * @throws ArgumentException with {@code name}, if there is none
   */
  static <T> T required(@Nullable T value, String name) {
    if (value == null) {
      throw new ArgumentException(name + " must be given, but is null");
    }
    return value;
  }
}
