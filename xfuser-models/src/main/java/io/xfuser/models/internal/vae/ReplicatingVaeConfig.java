package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The settings of diffusers' AutoencoderKLHunyuanVideo15, of whose two halves there is the decoder.
 *
 * @param origin where the settings are from, for messages
 * @param latentChannels c, channels of the latents
 * @param widths channels of the decoder's levels, from the latents to the pixels
 * @param residuals blocks of a level
 * @param doublings levels, from the first, that make twice as many rows and columns
 * @param overTime levels, from the first, that make two frames of one as well
 * @param matched whether a level that does gives as many channels as the next one has
 * @param scalingFactor what latents were multiplied by after encoding
 */
record ReplicatingVaeConfig(
    String origin,
    int latentChannels,
    List<Integer> widths,
    int residuals,
    int doublings,
    int overTime,
    boolean matched,
    double scalingFactor)
    implements DecodingVae {
  /** Rows and columns of a tile in pixels, whatever the settings. */
  private static final int TILE = 256;

  private static final double OVERLAP = 0.25;
  private static final List<Integer> USUAL = List.of(128, 256, 512, 1024, 1024);

  /** Refuses numbers of which no autoencoder can be made. */
  ReplicatingVaeConfig {
    widths = List.copyOf(widths);
    if (latentChannels < 1 || residuals < 1 || widths.size() <= doublings || overTime > doublings) {
      throw new ModelException(
          "%s: latent_channels %d, layers_per_block %d and widths %s make no decoder of scale %d over %d frames"
              .formatted(origin, latentChannels, residuals, widths, 1 << doublings, 1 << overTime));
    }
    if (widths.get(0) % latentChannels != 0) {
      throw new ModelException(
          "%s: latent_channels %d do not divide the %d channels of the first level"
              .formatted(origin, latentChannels, widths.get(0)));
    }
    for (int i = 0; i < doublings; i++) {
      int in = widths.get(i);
      int block = i < overTime ? 8 : 4;
      int out = matched ? widths.get(i + 1) : in;
      if (4 * out % in != 0 || (i < overTime && in % block != 0)) {
        throw new ModelException(
            "%s: %d channels cannot be repeated as blocks of %d with %d channels"
                .formatted(origin, in, block, out));
      }
    }
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @throws ModelException naming the setting that is wrong or that is not supported
   */
  static ReplicatingVaeConfig from(ComponentConfig json) {
    ComponentConfig config = json.unquantized();
    config.require("out_channels", EncoderConfig.COLOURS);
    String levels = "block_out_channels";
    List<Integer> widths = new ArrayList<>(config.has(levels) ? config.getIntList(levels) : USUAL);
    Collections.reverse(widths);
    return new ReplicatingVaeConfig(
        config.origin(),
        config.getInt("latent_channels", 32),
        widths,
        config.getInt("layers_per_block", 2),
        powerOfTwo(config, "spatial_compression_ratio", 16),
        powerOfTwo(config, "temporal_compression_ratio", 4),
        config.getBoolean("upsample_match_channel", true),
        config.getDouble("scaling_factor", 1.03682));
  }

  private static int powerOfTwo(ComponentConfig config, String setting, int otherwise) {
    int value = config.getInt(setting, otherwise);
    if (Integer.bitCount(value) != 1 || value < 1) {
      throw new ModelException(
          "%s: %s %d is not supported, only powers of two"
              .formatted(config.origin(), setting, value));
    }
    return Integer.numberOfTrailingZeros(value);
  }

  /** Channels that level {@code i} gives to the next one. */
  int out(int i) {
    return i < doublings && matched ? widths.get(i + 1) : widths.get(i);
  }

  @Override
  public int scale() {
    return 1 << doublings;
  }

  @Override
  public int temporalScale() {
    return 1 << overTime;
  }

  /**
   * As many frames pass together as one of latents stands for. Each convolution of the last level
   * keeps two frames, and those of the level before it, at a quarter of the size.
   */
  @Override
  public VaeDecoder.Footprint footprint() {
    int last = widths.get(widths.size() - 1);
    int convolutions = 2 * (residuals + 1) + 1;
    int before = widths.size() > 1 ? widths.get(widths.size() - 2) : 0;
    int kept =
        convolutions * (last + before / 4); // of two frames each: a tensor is read, one written
    return new VaeDecoder.Footprint(Math.max(last, before / 4) * temporalScale() + kept, TILE);
  }

  @Override
  public Tiling tiling() {
    return Tiling.blended(TILE / scale(), TILE, OVERLAP);
  }

  @Override
  public NDArray unscaled(NDManager owner, NDArray latents, int type, boolean shifted) {
    return Layer.VAE.call(owner, "enter", latents, type, scalingFactor, 0.0);
  }

  @Override
  public Sequence decoderLayers(NDManager owner, Weights weights) {
    return new ReplicatingVaeLayers(owner, weights, this).decoder();
  }
}
