package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import org.jspecify.annotations.Nullable;

/**
 * What every block may read: made once per request, completed once per step.
 *
 * @param <C> the model's conditioning
 */
public interface Conditioner<C> extends Part {
  /**
   * What is the same for every step; {@code request} owns it and all that is computed later from
   * it.
   */
  C begin(NDManager request, ConditionInput input);

  /** The conditioning of the step at {@code timestep}; {@code step} owns what is new. */
  C at(NDManager step, C conditioning, double timestep);

  /**
   * The text tokens (B, T, C) that enter the first block beside the image's, the same in every
   * step; null where the model has none. All of them, on every rank: what goes with a rank's image
   * tokens is cut out of them.
   */
  default @Nullable NDArray jointText(C conditioning) {
    return null;
  }
}
