package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What the loop has of latents beside the encoder's: without their mean, and divided by their
 * deviation.
 *
 * @param means of each channel
 * @param deviations standard deviations of each
 */
record Whitening(List<Double> means, List<Double> deviations) {
  /** Wan 2.1's, and Qwen-Image's, which is made of it. */
  private static final Whitening USUAL =
      new Whitening(
          List.of(
              -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715,
              0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921),
          List.of(
              2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526,
              2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160));

  /** Copies the lists. */
  Whitening {
    means = List.copyOf(means);
    deviations = List.copyOf(deviations);
  }

  /**
   * Reads {@code latents_mean} and {@code latents_std}.
   *
   * @throws ModelException if they are not as many as {@code channels}, or not positive
   */
  static Whitening from(ComponentConfig config, int channels) {
    Whitening read =
        new Whitening(
            config.has("latents_mean") ? config.getDoubleList("latents_mean") : USUAL.means,
            config.has("latents_std") ? config.getDoubleList("latents_std") : USUAL.deviations);
    if (read.means.size() != channels || read.deviations.size() != channels) {
      throw new ModelException(
          "%s: %d latents_mean and %d latents_std for z_dim %d"
              .formatted(config.origin(), read.means.size(), read.deviations.size(), channels));
    }
    if (read.deviations.stream().anyMatch(value -> !(value > 0 && Double.isFinite(value)))) {
      throw new ModelException(
          "%s: latents_std %s must be positive".formatted(config.origin(), read.deviations));
    }
    return read;
  }

  /** The decoder's latents (B, c, h, w), of element type {@code type}. */
  NDArray unscaled(NDManager owner, NDArray latents, int type) {
    return Layer.VAE.call(owner, "enter_whitened", latents, type, array(means), array(deviations));
  }

  /** The loop's latents, of what the encoder made, drawn by {@code noise} if there is one. */
  NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise) {
    return Layer.ENCODER.call(
        owner, "leave_whitened", encoded, noise, array(means), array(deviations));
  }

  private static double[] array(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
