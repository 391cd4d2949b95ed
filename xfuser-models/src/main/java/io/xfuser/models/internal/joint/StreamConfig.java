package io.xfuser.models.internal.joint;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What transformers of blocks of two streams, and then of one, are told by the same names.
 *
 * @param origin where the settings are from, for messages
 * @param doubleBlocks blocks with weights of their own for text and image; they come first
 * @param singleBlocks blocks with the same weights for both
 * @param heads of attention
 * @param axes the dimensions of a head that turn with each coordinate of a token: one that is 0
 *     everywhere, its row, its column
 * @param inputWidth values that the transformer sees of a token
 * @param tokenWidth values that it predicts, those of 2 by 2 latents
 * @param textWidth width of the text encoder's states
 */
public record StreamConfig(
    String origin,
    int doubleBlocks,
    int singleBlocks,
    Inner heads,
    List<Integer> axes,
    int inputWidth,
    int tokenWidth,
    int textWidth) {
  /** Latents along each side of a token. */
  public static final int PATCH = 2;

  /** Checks the axes and the widths. */
  public StreamConfig {
    axes = List.copyOf(axes);
    int turning = axes.stream().mapToInt(Integer::intValue).sum();
    if (axes.size() != 3 || turning != heads.size() || axes.stream().anyMatch(d -> d % 2 != 0)) {
      throw new ModelException(
          "%s: axes_dims_rope %s are not three even numbers that add up to attention_head_dim %d"
              .formatted(origin, axes, heads.size()));
    }
    if (tokenWidth % (PATCH * PATCH) != 0 || inputWidth < tokenWidth) {
      throw new ModelException(
          "%s: in_channels %d and out_channels %d are not those of 2 by 2 latents"
              .formatted(origin, inputWidth, tokenWidth));
    }
  }

  public int depth() {
    return doubleBlocks + singleBlocks;
  }

  /** C, the hidden size. */
  public int width() {
    return Math.toIntExact(heads.width());
  }

  /** c, latent channels. */
  public int channels() {
    return tokenWidth / (PATCH * PATCH);
  }

  /** The name below which the weights of block {@code index} are. */
  public String block(int index) {
    int single = index - doubleBlocks;
    return single < 0
        ? "transformer_blocks." + index + "."
        : "single_transformer_blocks." + single + ".";
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static StreamConfig from(ComponentConfig config) {
    config.require("patch_size", 1); // of the packed latents, which are the tokens
    int inputWidth = config.getInt("in_channels", 64);
    boolean same = !config.has("out_channels") || config.text("out_channels").equals("null");
    return new StreamConfig(
        config.origin(),
        config.getInt("num_layers", 19),
        config.getInt("num_single_layers", 38),
        Inner.heads(
            config.getInt("num_attention_heads", 24), config.getInt("attention_head_dim", 128)),
        config.has("axes_dims_rope") ? config.getIntList("axes_dims_rope") : List.of(16, 56, 56),
        inputWidth,
        same ? inputWidth : config.getInt("out_channels", inputWidth),
        config.getInt("joint_attention_dim", 4096));
  }
}
