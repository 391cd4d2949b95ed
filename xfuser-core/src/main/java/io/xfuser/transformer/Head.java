package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * Hidden states to the prediction.
 *
 * @param <C> the model's conditioning
 */
public interface Head<C> extends Part {
  /** The prediction (B, l, c) for hidden states (B, l, C), without learned variances. */
  NDArray predict(NDManager owner, Hidden x, C conditioning);
}
