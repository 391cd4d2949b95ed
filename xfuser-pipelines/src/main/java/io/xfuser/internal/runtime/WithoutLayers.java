package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import java.util.function.Function;

/**
 * The prediction without some blocks, which guidance leads away from.
 *
 * @param scale how far
 * @param predict it, (B, l, c)
 */
record WithoutLayers(double scale, Function<NDManager, NDArray> predict) {
  /** How far {@code positive} (B, l, c), the prediction with all blocks, is from it. */
  NDArray difference(NDManager owner, NDArray positive) {
    try (NDManager scope = owner.newSubManager()) {
      return Arithmetic.PROGRAM.call(owner, "difference", positive, predict.apply(scope));
    }
  }

  /** {@code guided} led along {@code difference}, both (B, l, c). */
  NDArray led(NDManager owner, NDArray guided, NDArray difference) {
    return Arithmetic.PROGRAM.call(owner, "led", guided, difference, scale);
  }
}
