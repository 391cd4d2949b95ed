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
public record LoadOptions(ElementType type, @Nullable String variant, Placement placement) {
  /** In {@code type}, of no variant, on the CPU. */
  public static LoadOptions of(ElementType type) {
    return new LoadOptions(type, null, Placement.CPU);
  }

  /** The same to another place. */
  public LoadOptions to(Placement other) {
    return new LoadOptions(type, variant, other);
  }
}
