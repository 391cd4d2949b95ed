package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Program;

/** A step of an encoder or decoder. Immutable, and safe for use by several threads. */
interface Layer {
  /** The mathematics of all layers. */
  Program VAE = Program.load(Layer.class, "vae.py");

  /** What encoders have besides. */
  Program ENCODER = Program.load(Layer.class, "vae_encoder.py");

  /**
   * Applies the layer.
   *
   * @param x (B, C, H, W), left as it is; H are the rows of the strip
   * @param strip what the layer may ask of the rest of the picture
   * @return (B, O, H', W'), owned by {@code owner}
   */
  NDArray forward(NDManager owner, NDArray x, Strip strip);
}
