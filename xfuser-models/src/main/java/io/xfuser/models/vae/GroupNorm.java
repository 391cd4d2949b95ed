package io.xfuser.models.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.weights.Weights;

/**
 * Group normalisation (arXiv 1803.08494), alone or followed by SiLU. The statistics are those of a
 * group's channels over the whole picture.
 */
final class GroupNorm implements Layer {
  private final String function;
  private final NDArray weight; // (C)
  private final NDArray bias; // (C)
  private final Groups groups;

  private GroupNorm(String function, NDArray weight, NDArray bias, Groups groups) {
    this.function = function;
    this.weight = weight;
    this.bias = bias;
    this.groups = groups;
  }

  /** Normalisation alone; reads its scale and its shift, both (channels). */
  static GroupNorm plain(NDManager owner, Weights weights, int channels, Groups groups) {
    return new GroupNorm(
        "normalize",
        weights.get(owner, "weight", channels),
        weights.get(owner, "bias", channels),
        groups);
  }

  /** Normalisation and SiLU; reads its scale and its shift, both (channels). */
  static GroupNorm withSilu(NDManager owner, Weights weights, int channels, Groups groups) {
    return new GroupNorm(
        "normalize_silu",
        weights.get(owner, "weight", channels),
        weights.get(owner, "bias", channels),
        groups);
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x) {
    return VAE.call(
        owner, function, x, weight, bias, groups.count(), groups.epsilon()); // (B, C, H, W)
  }

  /**
   * How channels are normalised.
   *
   * @param count groups that they are divided into
   * @param epsilon added to each variance
   */
  record Groups(int count, double epsilon) {}
}
