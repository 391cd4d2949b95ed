package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;

/** A kind of normalisation. */
interface Norm {
  /**
   * Reads one of {@code channels}.
   *
   * @param silu whether SiLU follows
   */
  Layer read(NDManager owner, Weights weights, int channels, boolean silu);
}
