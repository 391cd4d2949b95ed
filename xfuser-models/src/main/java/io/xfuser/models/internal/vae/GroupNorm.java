package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import java.util.Map;

/**
 * Group normalisation (arXiv 1803.08494), alone or followed by SiLU. The statistics are those of a
 * group's channels over the whole picture: strips show one another their counts, means and sums of
 * squared deviations, and every one adds them up by Chan's formula (Stanford CS-TR-79-773).
 */
final class GroupNorm implements Layer {
  private final boolean silu;
  private final Map<String, NDArray> weights; // norm: weight and bias (C)
  private final Groups groups;

  private GroupNorm(boolean silu, Map<String, NDArray> weights, Groups groups) {
    this.silu = silu;
    this.weights = weights;
    this.groups = groups;
  }

  private static Map<String, NDArray> read(NDManager owner, Weights weights, int channels) {
    return Map.of(
        "norm.weight", weights.get(owner, "weight", channels),
        "norm.bias", weights.get(owner, "bias", channels));
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    double epsilon = groups.epsilon();
    if (strip.isWhole()) {
      return VAE.call( // (B, C, H, W)
          owner, "normalize", x, weights, groups.count(), epsilon, silu);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = VAE.call(scope, "moments", x, groups.count()); // (1, 3, B, G)
      NDArray all = strip.gather(scope, own, 0); // (strips, 3, B, G)
      return VAE.call(owner, "normalize_by", x, all, weights, epsilon, silu); // (B, C, H, W)
    }
  }

  /**
   * How channels are normalised.
   *
   * @param count groups that they are divided into
   * @param epsilon added to each variance
   */
  record Groups(int count, double epsilon) implements Norm {
    @Override
    public Layer read(NDManager owner, Weights weights, int channels, boolean silu) {
      return new GroupNorm(silu, GroupNorm.read(owner, weights, channels), this);
    }
  }
}
