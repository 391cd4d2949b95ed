package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;

/**
 * A 3×3 convolution with stride 2. AutoencoderKL's has zeros below and to the right alone, so that
 * row i is of the rows 2i to 2i + 2 and an odd last one is lost; AutoencoderTiny's is of the rows
 * 2i − 1 to 2i + 1. A strip begins at an even row, and asks its neighbours for what lies beyond.
 */
final class Halving implements Layer {
  private final NDArray weight; // (C, C, 3, 3)
  private final NDArray bias; // (C)
  private final boolean around;

  private Halving(NDArray weight, NDArray bias, boolean around) {
    this.weight = weight;
    this.bias = bias;
    this.around = around;
  }

  /** One that looks down and to the right. */
  static Halving below(NDManager owner, Weights weights, int width) {
    return new Halving(weight(owner, weights, width), weights.get(owner, "bias", width), false);
  }

  /** One that looks around, and adds nothing. */
  static Halving around(NDManager owner, Weights weights, int width) {
    NDArray weight = weight(owner, weights, width);
    return new Halving(weight, VAE.call(owner, "no_bias", weight), true);
  }

  private static NDArray weight(NDManager owner, Weights weights, int width) {
    return weights.get(owner, "weight", width, width, 3, 3);
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDList edges = strip.halo(x).await(scope); // 2 × (B, C, 1, W)
      return ENCODER.call( // (B, C, H/2, W/2)
          owner, "halve", x, edges.get(0), edges.get(1), around, weight, bias);
    }
  }
}
