package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Set;

/**
 * The sizes of the picture side of Qwen2.5-VL, from {@code vision_config} of transformers.
 *
 * @param layers their number
 * @param width of the hidden states, C
 * @param heads H
 * @param innerWidth of the feed-forward layers, F
 * @param patch rows and columns of pixels of a token, p
 * @param merge rows and columns of tokens that become one of the language model, m
 * @param frames as how many a picture counts
 * @param window rows and columns of a window, in tokens of the language model
 * @param whole the layers that see more than a window
 * @param out width of the language model
 */
record VisionConfig(
    int layers,
    int width,
    int heads,
    int innerWidth,
    int patch,
    int merge,
    int frames,
    int window,
    Set<Integer> whole,
    int out) {
  /**
   * Reads the settings.
   *
   * @throws ModelException naming what is not supported
   */
  static VisionConfig of(ComponentConfig json) {
    ComponentConfig config = json.part("vision_config", "qwen2_5_vl");
    config.require("hidden_act", "silu");
    config.require("in_channels", 3);
    int patch = config.getInt("patch_size", 14);
    int merge = config.getInt("spatial_merge_size", 2);
    int width = config.getInt("hidden_size", 3584);
    int heads = config.getInt("num_heads", 16);
    int window = config.getInt("window_size", 112);
    boolean small = patch < 1 || merge < 1 || heads < 1 || window < merge * patch;
    if (small || width % (4 * heads) != 0) {
      throw new ModelException(
          "%s: patch_size %d, spatial_merge_size %d, window_size %d and %d num_heads of hidden_size %d make no windows of heads that turn"
              .formatted(config.origin(), patch, merge, window, heads, width));
    }
    List<Integer> whole =
        config.has("fullatt_block_indexes")
            ? config.getIntList("fullatt_block_indexes")
            : List.of(7, 15, 23, 31);
    return new VisionConfig(
        config.getInt("depth", 32),
        width,
        heads,
        config.getInt("intermediate_size", 3420),
        patch,
        merge,
        config.getInt("temporal_patch_size", 2),
        window / merge / patch,
        Set.copyOf(whole),
        config.getInt("out_hidden_size", 3584));
  }

  /** D, the width of a head. */
  int headWidth() {
    return width / heads;
  }

  /** Tokens that become one. */
  int group() {
    return merge * merge;
  }

  /** Pixels along each side of a token of the language model. */
  int side() {
    return patch * merge;
  }
}
