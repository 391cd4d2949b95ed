package io.xfuser.models.internal.latte;

import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.weights.ComponentConfig;

/**
 * What distinguishes one Latte transformer from another, as in diffusers' {@code
 * LatteTransformer3DModel}.
 *
 * @param layers the dimensions of its blocks; there are as many temporal ones
 * @param frames of a video
 */
record LatteConfig(AdaLnConfig layers, int frames) {
  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws IllegalArgumentException naming the setting that is missing or not supported
   */
  static LatteConfig from(ComponentConfig config) {
    return new LatteConfig(AdaLnConfig.from(config), config.getInt("video_length", 16));
  }
}
