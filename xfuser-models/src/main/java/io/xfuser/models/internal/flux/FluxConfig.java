package io.xfuser.models.internal.flux;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What distinguishes one Flux transformer from another, as in diffusers' {@code
 * FluxTransformer2DModel}.
 *
 * @param origin where the settings are from, for messages
 * @param doubleBlocks blocks with weights of their own for text and image; they come first
 * @param singleBlocks blocks with the same weights for both
 * @param heads attention heads
 * @param headSize D, width of a head
 * @param axes the dimensions of a head that turn with each coordinate of a token: one that is 0
 *     everywhere, its row, its column
 * @param channels c, latent channels; a token has 2 by 2 latents
 * @param besideWidth values that the transformer sees beside those of a token: of a masked picture
 *     and its mask (Fill)
 * @param textWidth width of T5's hidden states
 * @param pooledWidth width of CLIP's pooled output
 * @param guidance whether the strength of the prompt is a condition (dev)
 */
public record FluxConfig(
    String origin,
    int doubleBlocks,
    int singleBlocks,
    int heads,
    int headSize,
    List<Integer> axes,
    int channels,
    int besideWidth,
    int textWidth,
    int pooledWidth,
    boolean guidance) {
  /** Latents along each side of a token. */
  static final int PATCH = 2;

  /** Checks the axes. */
  public FluxConfig {
    axes = List.copyOf(axes);
    int turning = axes.stream().mapToInt(Integer::intValue).sum();
    if (axes.size() != 3 || turning != headSize || axes.stream().anyMatch(d -> d % 2 != 0)) {
      throw new ModelException(
          "%s: axes_dims_rope %s are not three even numbers that add up to attention_head_dim %d"
              .formatted(origin, axes, headSize));
    }
  }

  /** C, the hidden size. */
  public int width() {
    return heads * headSize;
  }

  /** Values of a token. */
  int tokenWidth() {
    return channels * PATCH * PATCH;
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static FluxConfig from(ComponentConfig config) {
    config.require("patch_size", 1); // of the packed latents, which are the tokens
    int inputWidth = config.getInt("in_channels", 64);
    boolean same = !config.has("out_channels") || config.text("out_channels").equals("null");
    int tokenWidth = same ? inputWidth : config.getInt("out_channels", inputWidth);
    if (tokenWidth % (PATCH * PATCH) != 0 || inputWidth < tokenWidth) {
      throw new ModelException(
          "%s: in_channels %d and out_channels %d are not those of 2 by 2 latents"
              .formatted(config.origin(), inputWidth, tokenWidth));
    }
    return new FluxConfig(
        config.origin(),
        config.getInt("num_layers", 19),
        config.getInt("num_single_layers", 38),
        config.getInt("num_attention_heads", 24),
        config.getInt("attention_head_dim", 128),
        config.has("axes_dims_rope") ? config.getIntList("axes_dims_rope") : List.of(16, 56, 56),
        tokenWidth / (PATCH * PATCH),
        inputWidth - tokenWidth,
        config.getInt("joint_attention_dim", 4096),
        config.getInt("pooled_projection_dim", 768),
        config.getBoolean("guidance_embeds", false));
  }
}
