package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;

/**
 * Group normalisation (arXiv 1803.08494), alone or followed by SiLU. The statistics are those of a
 * group's channels over the whole picture: strips show one another their counts, means and sums of
 * squared deviations, and every one adds them up by Chan's formula (Stanford CS-TR-79-773).
 */
final class GroupNorm implements Layer {
  private final boolean silu;
  private final NDArray weight; // (C)
  private final NDArray bias; // (C)
  private final Groups groups;

  private GroupNorm(boolean silu, NDArray weight, NDArray bias, Groups groups) {
    this.silu = silu;
    this.weight = weight;
    this.bias = bias;
    this.groups = groups;
  }

  /** Normalisation alone; reads its scale and its shift, both (channels). */
  static GroupNorm plain(NDManager owner, Weights weights, int channels, Groups groups) {
    return new GroupNorm(
        false,
        weights.get(owner, "weight", channels),
        weights.get(owner, "bias", channels),
        groups);
  }

  /** Normalisation and SiLU; reads its scale and its shift, both (channels). */
  static GroupNorm withSilu(NDManager owner, Weights weights, int channels, Groups groups) {
    return new GroupNorm(
        true, weights.get(owner, "weight", channels), weights.get(owner, "bias", channels), groups);
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    double epsilon = groups.epsilon();
    if (strip.isWhole()) {
      return VAE.call( // (B, C, H, W)
          owner, "normalize", x, weight, bias, groups.count(), epsilon, silu);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = VAE.call(scope, "moments", x, groups.count()); // (1, 3, B, G)
      NDArray all = strip.gather(scope, own, 0); // (strips, 3, B, G)
      return VAE.call(owner, "normalize_by", x, all, weight, bias, epsilon, silu); // (B, C, H, W)
    }
  }

  /**
   * How channels are normalised.
   *
   * @param count groups that they are divided into
   * @param epsilon added to each variance
   */
  record Groups(int count, double epsilon) {}
}
