package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import java.util.Map;

/**
 * A 3×3 convolution with stride 2. AutoencoderKL's has zeros below and to the right alone, so that
 * row i is of the rows 2i to 2i + 2 and an odd last one is lost; AutoencoderTiny's is of the rows
 * 2i − 1 to 2i + 1. A strip begins at an even row, and asks its neighbours for what lies beyond.
 */
final class Halving implements Layer {
  private final Map<String, NDArray> weights; // conv: (C, C, 3, 3) and perhaps a bias (C)
  private final boolean around;

  private Halving(Map<String, NDArray> weights, boolean around) {
    this.weights = weights;
    this.around = around;
  }

  /** One that looks down and to the right. */
  static Halving below(NDManager owner, Weights weights, int width) {
    NDArray bias = weights.get(owner, "bias", width);
    return new Halving(
        Map.of("conv.weight", weight(owner, weights, width), "conv.bias", bias), false);
  }

  /** One that looks around, and adds nothing. */
  static Halving around(NDManager owner, Weights weights, int width) {
    return new Halving(Map.of("conv.weight", weight(owner, weights, width)), true);
  }

  private static NDArray weight(NDManager owner, Weights weights, int width) {
    return weights.get(owner, "weight", width, width, 3, 3);
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDList edges = strip.halo(x).await(scope); // 2 × (B, C, 1, W)
      return ENCODER.call( // (B, C, H/2, W/2)
          owner, "halve", x, edges.get(0), edges.get(1), around, weights);
    }
  }
}
