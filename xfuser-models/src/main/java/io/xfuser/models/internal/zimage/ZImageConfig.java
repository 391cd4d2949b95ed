package io.xfuser.models.internal.zimage;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What distinguishes one Z-Image transformer from another, as in diffusers' {@code
 * ZImageTransformer2DModel}.
 *
 * @param origin where the settings are from, for messages
 * @param channels c, latent channels; a token has 2 by 2 latents
 * @param width C, the hidden size
 * @param layers blocks of image and text
 * @param refiners blocks of the image alone before them, and as many of the text alone
 * @param heads attention heads
 * @param textWidth width of the text encoder's states
 * @param epsilon of the norms
 * @param theta the base of the angles by which places turn heads
 * @param axes the dimensions of a head that turn with each coordinate of a token: its place in the
 *     text, its row, its column
 * @param places how many places there are along each
 */
record ZImageConfig(
    String origin,
    int channels,
    int width,
    int layers,
    int refiners,
    int heads,
    int textWidth,
    double epsilon,
    double theta,
    List<Integer> axes,
    List<Integer> places)
    implements SizedTransformer.Size {
  /** Latents along each side of a token. */
  static final int PATCH = 2;

  /** Tokens of a text or an image are filled up to a multiple of this. */
  static final int MULTIPLE = 32;

  private static final int EMBEDDED_TIME = 256;

  @Override
  public int depth() {
    return refiners + layers;
  }

  /** Checks the axes. */
  ZImageConfig {
    axes = List.copyOf(axes);
    places = List.copyOf(places);
    int turning = axes.stream().mapToInt(Integer::intValue).sum();
    if (axes.size() != 3
        || places.size() != 3
        || heads < 1
        || turning * heads != width
        || axes.stream().anyMatch(d -> d % 2 != 0)) {
      throw new ModelException(
          "%s: axes_dims %s and axes_lens %s are not three each, even, that add up to a head of dim %d / n_heads %d"
              .formatted(origin, axes, places, width, heads));
    }
  }

  @Override
  public int headSize() {
    return width / heads;
  }

  int tokenWidth() {
    return channels * PATCH * PATCH;
  }

  /** Width of the embedded timestep, E. */
  int timeWidth() {
    return Math.min(width, EMBEDDED_TIME);
  }

  /** N, the neurons of an MLP. */
  int neurons() {
    return (int) (width / 3.0 * 8); // as Python has it
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static ZImageConfig from(ComponentConfig config) {
    requireOne(config, "all_patch_size", PATCH);
    requireOne(config, "all_f_patch_size", 1);
    config.require("qk_norm", true);
    config.require("t_scale", 1000.0);
    int heads = config.getInt("n_heads", 30);
    config.require("n_kv_heads", heads);
    return new ZImageConfig(
        config.origin(),
        config.getInt("in_channels", 16),
        config.getInt("dim", 3840),
        config.getInt("n_layers", 30),
        config.getInt("n_refiner_layers", 2),
        heads,
        config.getInt("cap_feat_dim", 2560),
        config.getDouble("norm_eps", 1e-5),
        config.getDouble("rope_theta", 256),
        config.has("axes_dims") ? config.getIntList("axes_dims") : List.of(32, 48, 48),
        config.has("axes_lens") ? config.getIntList("axes_lens") : List.of(1024, 512, 512));
  }

  private static void requireOne(ComponentConfig config, String name, int value) {
    if (config.has(name) && !config.getIntList(name).equals(List.of(value))) {
      throw new ModelException(
          "%s: %s %s is not supported, only [%d]"
              .formatted(config.origin(), name, config.text(name), value));
    }
  }
}
