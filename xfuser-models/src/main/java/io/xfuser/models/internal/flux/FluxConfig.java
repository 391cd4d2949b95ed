package io.xfuser.models.internal.flux;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.joint.StreamConfig;
import io.xfuser.weights.ComponentConfig;

/**
 * What distinguishes one Flux transformer from another, as in diffusers' {@code
 * FluxTransformer2DModel}.
 *
 * @param streams its blocks, and the widths of its tokens
 * @param pooledWidth width of CLIP's pooled output
 * @param guidance whether the strength of the prompt is a condition (dev)
 */
public record FluxConfig(StreamConfig streams, int pooledWidth, boolean guidance) {
  /** C, the hidden size. */
  public int width() {
    return streams.width();
  }

  int tokenWidth() {
    return streams.tokenWidth();
  }

  /** Values that the transformer sees beside those of a token: of a masked picture and its mask. */
  int besideWidth() {
    return streams.inputWidth() - streams.tokenWidth();
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  public static FluxConfig from(ComponentConfig config) {
    return new FluxConfig(
        StreamConfig.from(config),
        config.getInt("pooled_projection_dim", 768),
        config.getBoolean("guidance_embeds", false));
  }
}
