package io.xfuser.models.internal.flux2;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What distinguishes one Flux.2 transformer from another, as in diffusers' {@code
 * Flux2Transformer2DModel}.
 *
 * @param origin where the settings are from, for messages
 * @param doubleBlocks blocks with weights of their own for text and image; they come first
 * @param singleBlocks blocks with the same weights for both
 * @param heads attention heads
 * @param headSize D, width of a head
 * @param mlpRatio neurons of an MLP for each of the hidden size
 * @param axes the dimensions of a head that turn with each coordinate of a token: its picture, its
 *     row, its column, its place in the text
 * @param theta the base of the angles by which they turn
 * @param epsilon of the norms
 * @param channels c, values of a token
 * @param textWidth width of the text encoder's states, of three layers side by side
 * @param guidance whether the strength of the prompt is a condition (dev)
 */
record Flux2Config(
    String origin,
    int doubleBlocks,
    int singleBlocks,
    int heads,
    int headSize,
    double mlpRatio,
    List<Integer> axes,
    double theta,
    double epsilon,
    int channels,
    int textWidth,
    boolean guidance)
    implements SizedTransformer.Size {
  private static final int AXES = 4;
  private static final int SINUSOIDS = 256;

  @Override
  public int depth() {
    return doubleBlocks() + singleBlocks();
  }

  /** Checks the axes. */
  Flux2Config {
    axes = List.copyOf(axes);
    int turning = axes.stream().mapToInt(Integer::intValue).sum();
    if (axes.size() != AXES || turning != headSize || axes.stream().anyMatch(d -> d % 2 != 0)) {
      throw new ModelException(
          "%s: axes_dims_rope %s are not four even numbers that add up to attention_head_dim %d"
              .formatted(origin, axes, headSize));
    }
  }

  /** C, the hidden size. */
  int width() {
    return heads * headSize;
  }

  /** N, the neurons of an MLP. */
  int neurons() {
    return (int) (width() * mlpRatio); // as Python has it
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @param guided whether the pipeline tells the transformer the strength of the prompt
   * @throws ModelException naming the setting that is missing or not supported
   */
  static Flux2Config from(ComponentConfig config, boolean guided) {
    config.require("patch_size", 1); // of the packed latents, which are the tokens
    config.require("timestep_guidance_channels", SINUSOIDS);
    int channels = config.getInt("in_channels", 128);
    config.require("out_channels", channels);
    return new Flux2Config(
        config.origin(),
        config.getInt("num_layers", 8),
        config.getInt("num_single_layers", 48),
        config.getInt("num_attention_heads", 48),
        config.getInt("attention_head_dim", 128),
        config.getDouble("mlp_ratio", 3),
        config.has("axes_dims_rope")
            ? config.getIntList("axes_dims_rope")
            : List.of(32, 32, 32, 32),
        config.getDouble("rope_theta", 2000),
        config.getDouble("eps", 1e-6),
        channels,
        config.getInt("joint_attention_dim", 15360),
        guided && config.getBoolean("guidance_embeds", true));
  }
}
