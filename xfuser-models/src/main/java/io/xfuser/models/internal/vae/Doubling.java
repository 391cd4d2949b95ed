package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;

/**
 * Twice as many frames, rows and columns, each value repeated; of an odd number of frames the first
 * stays one.
 */
record Doubling() implements Layer {
  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    return CausalConvolution.CAUSAL.call(owner, "twice", x); // (2·F or 2·F − 1, C, 2·H, 2·W)
  }
}
