package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.vae.GroupNorm.Groups;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * The settings of diffusers' AutoencoderKLCogVideoX: an autoencoder of videos whose convolutions
 * see no later frame, and whose decoder's norms look at the latents. Two frames of latents are
 * decoded together, of an odd number of frames the first three. Only the decoder is read.
 *
 * @param origin where the settings are from, for messages
 * @param latentChannels c, channels of the latents
 * @param widths channels of the levels from the pixels to the latents
 * @param residuals residual blocks of an encoder's level; the decoder's have one more
 * @param groups of norms
 * @param doublings the decoder's first levels, so many, make two frames of one
 * @param scaling by which latents were multiplied
 * @param tiling how tiles lie
 */
record ClipVaeConfig(
    String origin,
    int latentChannels,
    List<Integer> widths,
    int residuals,
    Groups groups,
    int doublings,
    double scaling,
    Tiling tiling)
    implements DecodingVae {
  private static final int TOGETHER = 2; // frames of latents
  private static final double EPSILON = 1e-6;

  /** Refuses numbers of which no autoencoder can be made. */
  ClipVaeConfig {
    widths = List.copyOf(widths);
    int divisor = groups.count();
    if (latentChannels < 1
        || residuals < 1
        || widths.isEmpty()
        || divisor < 1
        || widths.stream().anyMatch(width -> width < 1 || width % divisor != 0)) {
      throw new ModelException(
          "%s: latent_channels %d and layers_per_block %d must be at least 1, block_out_channels %s multiples of norm_num_groups %d"
              .formatted(origin, latentChannels, residuals, widths, divisor));
    }
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @throws ModelException naming the setting that is wrong or that is not supported
   */
  static ClipVaeConfig from(ComponentConfig json) {
    ComponentConfig config = json.unquantized();
    config.require("in_channels", EncoderConfig.COLOURS);
    config.require("out_channels", EncoderConfig.COLOURS);
    config.require("act_fn", "silu");
    config.require("use_post_quant_conv", false);
    List<Integer> widths =
        config.has("block_out_channels")
            ? config.getIntList("block_out_channels")
            : List.of(128, 256, 256, 512);
    int ratio = config.getInt("temporal_compression_ratio", 4);
    if (Integer.bitCount(ratio) != 1 || ratio >= 1 << widths.size()) {
      throw new ModelException(
          "%s: temporal_compression_ratio %d must be a power of two, less than 2 to the number of block_out_channels %s"
              .formatted(config.origin(), ratio, widths));
    }
    double scaling = config.getDouble("scaling_factor", 1.15258426);
    if (!(scaling > 0 && Double.isFinite(scaling))) {
      throw new ModelException(
          "%s: scaling_factor %s must be positive".formatted(config.origin(), scaling));
    }
    int scale = 1 << Math.max(0, widths.size() - 1);
    return new ClipVaeConfig(
        config.origin(),
        config.getInt("latent_channels", 16),
        widths,
        config.getInt("layers_per_block", 3),
        new Groups(config.getInt("norm_num_groups", 32), EPSILON),
        Integer.numberOfTrailingZeros(ratio),
        scaling,
        new Tiling(
            side(config.getInt("sample_height", 480) / 2, scale, 1.0 / 6),
            side(config.getInt("sample_width", 720) / 2, scale, 1.0 / 5),
            false));
  }

  private static Tiling.Side side(int pixels, int scale, double overlap) {
    return new Tiling.Side(pixels / scale, pixels, overlap, pixels / scale);
  }

  @Override
  public int scale() {
    return 1 << (widths.size() - 1);
  }

  @Override
  public int temporalScale() {
    return 1 << doublings;
  }

  @Override
  public VideoPass.Chunks chunks() {
    return VideoPass.Chunks.leftOverFirst(TOGETHER);
  }

  /**
   * The last upsampling writes the second level's channels; more than a single frame passes
   * together, and each convolution of the last level keeps two.
   */
  @Override
  public VaeDecoder.Footprint footprint() {
    int second = widths.get(Math.min(1, widths.size() - 1));
    int kept = 2 * (residuals + 1) + 1;
    return new VaeDecoder.Footprint(
        Math.max(widths.get(0), second) * temporalScale() + kept * widths.get(0),
        Math.min(tiling.rows().to(), tiling.columns().to()));
  }

  @Override
  public Sequence decoderLayers(NDManager owner, Weights weights) {
    return new ClipVaeLayers(owner, weights, this).decoder();
  }

  @Override
  public NDArray unscaled(NDManager owner, NDArray latents, int type, boolean shifted) {
    return Layer.VAE.call(owner, "enter", latents, type, scaling, 0.0);
  }
}
