package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import java.util.Map;

/**
 * Each position's channels divided by their root mean square, and multiplied by factors: diffusers'
 * QwenImageRMS_norm. It looks at no other position.
 */
record PixelNorm(boolean silu, Map<String, NDArray> weights) implements Layer {
  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    return VAE.call(owner, "pixel_norm", x, weights, silu); // (B, C, H, W)
  }

  /** What it is made for, which its file tells by the shape of {@code gamma}. */
  enum Kind implements Norm {
    /** (C, 1, 1). */
    PICTURES {
      @Override
      NDArray gamma(NDManager owner, Weights weights, int channels) {
        return weights.get(owner, "gamma", channels, 1, 1);
      }
    },
    /** (C, 1, 1, 1). */
    VIDEOS {
      @Override
      NDArray gamma(NDManager owner, Weights weights, int channels) {
        NDArray stored = weights.get(owner, "gamma", channels, 1, 1, 1);
        return VAE.call(owner, "last_frame_of_norm", stored);
      }
    };

    abstract NDArray gamma(NDManager owner, Weights weights, int channels);

    @Override
    public PixelNorm read(NDManager owner, Weights weights, int channels, boolean silu) {
      return new PixelNorm(silu, Map.of("norm.weight", gamma(owner, weights, channels)));
    }
  }
}
