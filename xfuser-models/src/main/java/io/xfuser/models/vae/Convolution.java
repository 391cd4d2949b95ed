package io.xfuser.models.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.weights.Weights;

/** A convolution with stride 1 that keeps the picture's size; zeros surround it. */
final class Convolution implements Layer {
  private final NDArray weight; // (O, C, K, K)
  private final NDArray bias; // (O)
  private final int padding;

  /**
   * Reads its kernel (out, in, kernel, kernel) and its bias (out).
   *
   * @param kernel 1 or 3
   */
  Convolution(NDManager owner, Weights weights, Channels channels, int kernel) {
    weight = weights.get(owner, "weight", channels.out(), channels.in(), kernel, kernel);
    bias = weights.get(owner, "bias", channels.out());
    padding = kernel / 2;
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x) {
    return VAE.call(owner, "convolve", x, weight, bias, padding); // (B, O, H, W)
  }

  /** How many channels go in and come out. */
  record Channels(int in, int out) {}
}
