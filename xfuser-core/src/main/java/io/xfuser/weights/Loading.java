package io.xfuser.weights;

import io.xfuser.torchscript.ElementType;
import org.jspecify.annotations.Nullable;

/**
 * How a component's weights are loaded.
 *
 * @param type the run's element type
 * @param variant of the files to prefer where there are such, {@code fp16} for example; null for
 *     none
 * @param placement where they are to be
 */
public record Loading(ElementType type, @Nullable String variant, Placement placement) {
  /** In {@code type}, of no variant, on the CPU. */
  public static Loading of(ElementType type) {
    return new Loading(type, null, Placement.CPU);
  }

  /** The same to another place. */
  public Loading to(Placement other) {
    return new Loading(type, variant, other);
  }
}
