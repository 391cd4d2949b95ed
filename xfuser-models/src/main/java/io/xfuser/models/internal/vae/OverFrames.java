package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;

/**
 * A layer over the frames of one video in the place of the positions of a picture: {@code inner} is
 * given (1, C, F, H·W), where rows are frames. A strip has all frames of its rows.
 */
record OverFrames(Layer inner) implements Layer {
  /** {@code x} is (F, C, H, W), the result (F, O, H, W). */
  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray rows = VAE.call(scope, "frames_as_rows", x); // (1, C, F, H·W)
      NDArray mixed = inner.forward(scope, rows, strip); // (1, O, F, H·W)
      return VAE.call(owner, "rows_as_frames", mixed, x.getShape().get(2)); // (F, O, H, W)
    }
  }
}
