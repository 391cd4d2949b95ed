package io.xfuser.models.internal.dit;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap.Patch;
import io.xfuser.weights.ComponentConfig;

/**
 * What distinguishes one DiT from another, as in diffusers' {@code DiTTransformer2DModel}.
 *
 * @param depth blocks
 * @param heads attention heads
 * @param headSize width of a head
 * @param inChannels latent channels
 * @param outChannels predicted channels: those of the latents, or twice as many with learned
 *     variances
 * @param sampleSize height and width of all pictures, in latents
 * @param patchSize latents along each side of a token
 * @param classes what can be drawn; the table has one row more
 * @param mlpEpsilon epsilon of the layer norm before an MLP
 */
public record DiTConfig(
    int depth,
    int heads,
    int headSize,
    int inChannels,
    int outChannels,
    int sampleSize,
    int patchSize,
    int classes,
    double mlpEpsilon)
    implements SizedTransformer.Size {
  /** Epsilon of all other layer norms. */
  static final double EPSILON = 1e-6;

  /** The class of pictures without one, whatever {@link #classes} is. */
  static final int NULL_CLASS = 1000;

  /** Checks the channels and that a picture is a whole number of tokens. */
  public DiTConfig {
    if (outChannels != inChannels && outChannels != 2 * inChannels) {
      throw new ModelException(
          "out_channels is %d, neither in_channels %d nor twice that"
              .formatted(outChannels, inChannels));
    }
    if (sampleSize % patchSize != 0) {
      throw new ModelException(
          "sample_size %d is no multiple of patch_size %d".formatted(sampleSize, patchSize));
    }
  }

  /** C, the hidden size. */
  public int width() {
    return heads * headSize;
  }

  /** The latents of a token. */
  Patch patch() {
    return new Patch(patchSize, inChannels, outChannels);
  }

  /** Rows and columns of tokens. */
  public int grid() {
    return sampleSize / patchSize;
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static DiTConfig from(ComponentConfig config) {
    config.require("norm_type", "ada_norm_zero");
    config.require("activation_fn", "gelu-approximate");
    config.require("attention_bias", true);
    config.require("norm_elementwise_affine", false);
    int inChannels = config.getInt("in_channels", 4);
    return new DiTConfig(
        config.getInt("num_layers", 28),
        config.getInt("num_attention_heads", 16),
        config.getInt("attention_head_dim", 72),
        inChannels,
        config.getInt("out_channels", inChannels),
        config.getInt("sample_size", 32),
        config.getInt("patch_size", 2),
        config.getInt("num_embeds_ada_norm", 1000),
        config.getDouble("norm_eps", 1e-5));
  }
}
