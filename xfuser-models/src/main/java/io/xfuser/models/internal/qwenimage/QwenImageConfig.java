package io.xfuser.models.internal.qwenimage;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What distinguishes one Qwen-Image transformer from another, as in diffusers' {@code
 * QwenImageTransformer2DModel}.
 *
 * @param origin where the settings are from, for messages
 * @param blocks their number
 * @param heads attention heads
 * @param headSize D, width of a head
 * @param axes the dimensions of a head that turn with each coordinate of a token: its frame, its
 *     row, its column
 * @param channels c, latent channels; a token has 2 by 2 latents
 * @param textWidth width of the text encoder's states
 * @param still whether what a picture refers to is modulated as at the end of the denoising (Edit
 *     2511); diffusers' {@code zero_cond_t}
 */
record QwenImageConfig(
    String origin,
    int blocks,
    int heads,
    int headSize,
    List<Integer> axes,
    int channels,
    int textWidth,
    boolean still)
    implements SizedTransformer.Size {
  /** Latents along each side of a token. */
  static final int PATCH = 2;

  @Override
  public int depth() {
    return blocks;
  }

  /** Checks the axes. */
  QwenImageConfig {
    axes = List.copyOf(axes);
    int turning = axes.stream().mapToInt(Integer::intValue).sum();
    if (axes.size() != 3 || turning != headSize || axes.stream().anyMatch(d -> d % 2 != 0)) {
      throw new ModelException(
          "%s: axes_dims_rope %s are not three even numbers that add up to attention_head_dim %d"
              .formatted(origin, axes, headSize));
    }
    if (blocks < 1 || heads < 1 || channels < 1 || textWidth < 1) {
      throw new ModelException(
          "%s: num_layers %d, num_attention_heads %d, out_channels %d and joint_attention_dim %d must be at least 1"
              .formatted(origin, blocks, heads, channels, textWidth));
    }
  }

  /** C, the hidden size. */
  int width() {
    return heads * headSize;
  }

  int tokenWidth() {
    return channels * PATCH * PATCH;
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static QwenImageConfig from(ComponentConfig config) {
    config.require("patch_size", PATCH);
    config.require("guidance_embeds", false); // diffusers' class has no layer for it either
    config.require("use_additional_t_cond", false);
    config.require("use_layer3d_rope", false);
    int channels = config.getInt("out_channels", 16);
    int tokens = config.getInt("in_channels", 64);
    if (tokens != channels * PATCH * PATCH) {
      throw new ModelException(
          "%s: in_channels is %d, but out_channels %d make tokens of %d"
              .formatted(config.origin(), tokens, channels, channels * PATCH * PATCH));
    }
    return new QwenImageConfig(
        config.origin(),
        config.getInt("num_layers", 60),
        config.getInt("num_attention_heads", 24),
        config.getInt("attention_head_dim", 128),
        config.has("axes_dims_rope") ? config.getIntList("axes_dims_rope") : List.of(16, 56, 56),
        channels,
        config.getInt("joint_attention_dim", 3584),
        config.getBoolean("zero_cond_t", false));
  }
}
