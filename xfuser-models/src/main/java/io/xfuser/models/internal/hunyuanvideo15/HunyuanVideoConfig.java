package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What distinguishes one transformer of HunyuanVideo 1.5 from another, as in diffusers' {@code
 * HunyuanVideo15Transformer3DModel}.
 *
 * @param depth blocks
 * @param heads of every attention
 * @param headSize D
 * @param refiners blocks that refine the text
 * @param inputs channels that the transformer sees: of the latents, of a picture to begin with, and
 *     of a mask
 * @param channels c, of the latents
 * @param textWidth of the language model's states
 * @param glyphWidth of the states of quoted texts
 * @param theta the base of the angles by which positions turn heads
 * @param axes the dimensions of a head that turn with each coordinate of a token: its frame, its
 *     row, its column
 * @param side pixels along each side of a square that is about what is drawn by default
 */
record HunyuanVideoConfig(
    int depth,
    int heads,
    int headSize,
    int refiners,
    int inputs,
    int channels,
    int textWidth,
    int glyphWidth,
    double theta,
    List<Integer> axes,
    int side)
    implements SizedTransformer.Size {
  /** Width of the sinusoids of a timestep. */
  static final int SINUSOIDS = 256;

  /** Copies the axes. */
  HunyuanVideoConfig {
    axes = List.copyOf(axes);
  }

  /** C, the hidden size. */
  int width() {
    return heads * headSize;
  }

  /**
   * Read from {@code config.json}.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static HunyuanVideoConfig from(ComponentConfig config) {
    config.require("patch_size", 1);
    config.require("patch_size_t", 1);
    config.require("mlp_ratio", 4);
    config.require("qk_norm", "rms_norm");
    config.require("use_meanflow", false); // its pipeline begins with a picture
    HunyuanVideoConfig read =
        new HunyuanVideoConfig(
            config.getInt("num_layers", 54),
            config.getInt("num_attention_heads", 16),
            config.getInt("attention_head_dim", 128),
            config.getInt("num_refiner_layers", 2),
            config.getInt("in_channels", 65),
            config.getInt("out_channels", 32),
            config.getInt("text_embed_dim", 3584),
            config.getInt("text_embed_2_dim", 1472),
            config.getDouble("rope_theta", 256),
            config.has("rope_axes_dim") ? config.getIntList("rope_axes_dim") : List.of(16, 56, 56),
            config.getInt("target_size", 640));
    int turning = read.axes.stream().mapToInt(Integer::intValue).sum();
    boolean odd = read.axes.stream().anyMatch(size -> size % 2 != 0);
    if (read.axes.size() != 3 || turning != read.headSize || odd) {
      throw new ModelException(
          "%s: rope_axes_dim %s are not three even numbers that add up to attention_head_dim %d"
              .formatted(config.origin(), read.axes, read.headSize));
    }
    if (read.inputs != 2 * read.channels + 1) {
      throw new ModelException(
          "%s: in_channels %d must be those of latents twice and a mask, out_channels being %d"
              .formatted(config.origin(), read.inputs, read.channels));
    }
    return read;
  }
}
