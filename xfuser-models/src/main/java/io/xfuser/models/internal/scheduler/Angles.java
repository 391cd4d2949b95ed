package io.xfuser.models.internal.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The turn from noise to a picture, in steps. Source: diffusers {@code scheduling_scm.py}. */
public final class Angles {
  private static final double MIDDLE = 1.3;

  private Angles() {}

  /**
   * The angles in radians before each of {@code steps} and after the last one.
   *
   * @param largest before the first
   * @param middle before the second one of two; null for the usual one
   */
  public static List<Double> of(double largest, @Nullable Double middle, int steps) {
    if (steps == 2) {
      return List.of(largest, Objects.requireNonNullElse(middle, MIDDLE), 0.0);
    }
    List<Double> all = new ArrayList<>();
    for (float angle : Float32.linear((float) largest, 0, steps + 1)) {
      all.add((double) angle);
    }
    return List.copyOf(all);
  }
}
