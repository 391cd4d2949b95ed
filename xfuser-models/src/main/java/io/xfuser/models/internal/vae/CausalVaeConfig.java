package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * The settings of diffusers' AutoencoderKLQwenImage, an autoencoder of videos whose convolutions
 * see no later frame. A picture is a first frame: before it are zeros, and nothing mixes it with
 * others.
 *
 * @param origin where the settings are from, for messages
 * @param latentChannels c, channels of the latents
 * @param widths channels of the levels from the pixels to the latents
 * @param residuals residual blocks of an encoder's level; the decoder's have one more
 * @param means of each channel of the latents
 * @param deviations standard deviations of each
 */
record CausalVaeConfig(
    String origin,
    int latentChannels,
    List<Integer> widths,
    int residuals,
    List<Double> means,
    List<Double> deviations)
    implements LayeredVae {
  /** Rows and columns of a tile in pixels, whatever the settings. */
  private static final int TILE = 256;

  private static final List<Double> MEANS =
      List.of(
          -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715,
          0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921);

  private static final List<Double> DEVIATIONS =
      List.of(
          2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652,
          1.5579, 1.6382, 1.1253, 2.8251, 1.9160);

  /** Refuses numbers of which no autoencoder can be made. */
  CausalVaeConfig {
    widths = List.copyOf(widths);
    means = List.copyOf(means);
    deviations = List.copyOf(deviations);
    if (means.size() != latentChannels || deviations.size() != latentChannels) {
      throw new ModelException(
          "%s: %d latents_mean and %d latents_std for z_dim %d"
              .formatted(origin, means.size(), deviations.size(), latentChannels));
    }
    if (deviations.stream().anyMatch(value -> !(value > 0 && Double.isFinite(value)))) {
      throw new ModelException("%s: latents_std %s must be positive".formatted(origin, deviations));
    }
    // a decoder's level begins with half of what the one before it has
    boolean halved = widths.stream().skip(1).allMatch(width -> width % 2 == 0);
    if (latentChannels < 1 || residuals < 1 || widths.stream().anyMatch(w -> w < 1) || !halved) {
      throw new ModelException(
          "%s: z_dim %d, num_res_blocks %d and widths %s must be at least 1, all widths but the first even"
              .formatted(origin, latentChannels, residuals, widths));
    }
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @throws ModelException naming the setting that is wrong or that is not supported
   */
  static CausalVaeConfig from(ComponentConfig json) {
    ComponentConfig config = json.unquantized();
    config.require("input_channels", EncoderConfig.COLOURS);
    refuse(
        config,
        "attn_scales",
        config.has("attn_scales") && !config.text("attn_scales").equals("[]"));
    int base = config.getInt("base_dim", 96);
    List<Integer> factors =
        config.has("dim_mult") ? config.getIntList("dim_mult") : List.of(1, 2, 4, 4);
    int halvings = factors.size() - 1;
    String temporal = config.text("temperal_downsample");
    int named = temporal.equals("null") ? 3 : temporal.split(",", -1).length;
    if (factors.isEmpty() || (temporal.equals("[]") ? 0 : named) != halvings) {
      throw new ModelException(
          "%s: temperal_downsample %s must have one value less than dim_mult %s"
              .formatted(config.origin(), temporal, factors));
    }
    return new CausalVaeConfig(
        config.origin(),
        config.getInt("z_dim", 16),
        factors.stream().map(factor -> base * factor).toList(),
        config.getInt("num_res_blocks", 2),
        config.has("latents_mean") ? config.getDoubleList("latents_mean") : MEANS,
        config.has("latents_std") ? config.getDoubleList("latents_std") : DEVIATIONS);
  }

  private static void refuse(ComponentConfig config, String name, boolean found) {
    if (found) {
      throw new ModelException(
          "%s: %s %s is not supported".formatted(config.origin(), name, config.text(name)));
    }
  }

  /** {@inheritDoc} A power of two. */
  @Override
  public int scale() {
    return 1 << (widths.size() - 1);
  }

  /** The last upsampling writes the second level's channels, of which a convolution makes half. */
  @Override
  public VaeDecoder.Footprint footprint() {
    int second = widths.get(Math.min(1, widths.size() - 1));
    return new VaeDecoder.Footprint(Math.max(widths.get(0), second * 3 / 4), TILE);
  }

  /** The first level is at the picture's size. */
  @Override
  public VaeDecoder.Footprint encoderFootprint() {
    return new VaeDecoder.Footprint(widths.get(0), TILE);
  }

  @Override
  public boolean draws() {
    return true;
  }

  @Override
  public Vae unshifted() {
    return this;
  }

  @Override
  public Tiling tiling() {
    return new Tiling(TILE / scale(), TILE, 0.25, false);
  }

  @Override
  public boolean beside(String name) {
    return LayeredVae.super.beside(name) || name.contains(".time_conv.");
  }

  @Override
  public Sequence decoderLayers(NDManager owner, Weights weights) {
    return new CausalVaeLayers(owner, weights).decoder(this);
  }

  @Override
  public Sequence encoderLayers(NDManager owner, ComponentConfig settings, Weights weights) {
    return new CausalVaeLayers(owner, weights).encoder(this);
  }

  @Override
  public NDArray unscaled(NDManager owner, NDArray latents, int type, boolean shifted) {
    return Layer.VAE.call(owner, "enter_whitened", latents, type, array(means), array(deviations));
  }

  @Override
  public NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise) {
    return Layer.ENCODER.call(
        owner, "leave_whitened", encoded, noise, array(means), array(deviations));
  }

  private static double[] array(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
