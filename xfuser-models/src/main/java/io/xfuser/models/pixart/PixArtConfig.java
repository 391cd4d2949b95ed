package io.xfuser.models.pixart;

import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.WeightList;

/**
 * What distinguishes one PixArt transformer from another, as in diffusers' {@code
 * PixArtTransformer2DModel}.
 *
 * @param depth blocks
 * @param heads attention heads
 * @param headSize width of a head
 * @param inChannels latent channels
 * @param outChannels predicted channels: those of the latents, or twice as many with learned
 *     variances
 * @param captionChannels width of the text embeddings
 * @param sampleSize height and width in latents of the pictures trained on
 * @param patchSize latents along each side of a token
 * @param interpolationScale by which positions are divided
 * @param sizeConditions whether the picture's size and aspect ratio are conditions (α at 1024
 *     pixels)
 */
public record PixArtConfig(
    int depth,
    int heads,
    int headSize,
    int inChannels,
    int outChannels,
    int captionChannels,
    int sampleSize,
    int patchSize,
    double interpolationScale,
    boolean sizeConditions) {

  /** Epsilon of all layer norms. */
  static final double EPSILON = 1e-6;

  /** Checks the channels. */
  public PixArtConfig {
    if (outChannels != inChannels && outChannels != 2 * inChannels) {
      throw new IllegalArgumentException(
          "out_channels is "
              + outChannels
              + ", neither in_channels "
              + inChannels
              + " nor twice that");
    }
  }

  /** C, the hidden size. */
  public int width() {
    return heads * headSize;
  }

  /** The latents of a token. */
  WeightList.Patch patch() {
    return new WeightList.Patch(patchSize, inChannels, outChannels);
  }

  /** Rows and columns of tokens of the pictures trained on. */
  public int baseGrid() {
    return sampleSize / patchSize;
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws IllegalArgumentException naming the setting that is missing or not supported
   */
  public static PixArtConfig from(ComponentConfig config) {
    config.require("norm_type", "ada_norm_single");
    config.require("activation_fn", "gelu-approximate");
    config.require("attention_type", "default");
    config.require("attention_bias", true);
    config.require("norm_elementwise_affine", false);
    config.require("norm_eps", EPSILON);
    int heads = config.getInt("num_attention_heads", 16);
    int headSize = config.getInt("attention_head_dim", 72);
    config.require("cross_attention_dim", heads * headSize);
    int sampleSize = config.getInt("sample_size", 128);
    return new PixArtConfig(
        config.getInt("num_layers", 28),
        heads,
        headSize,
        config.getInt("in_channels", 4),
        config.getInt("out_channels", 8),
        config.getInt("caption_channels"),
        sampleSize,
        config.getInt("patch_size", 2),
        config.getDouble("interpolation_scale", Math.max(sampleSize / 64, 1)),
        config.getBoolean("use_additional_conditions", sampleSize == 128));
  }
}
