package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * The settings of diffusers' AutoencoderDC (arXiv 2410.10733).
 *
 * @param origin where the settings are from, for messages
 * @param latentChannels c, channels of the latents
 * @param headSize width of an attention head
 * @param scalingFactor what latents were multiplied by after encoding
 * @param encoder its levels from the pixels to the latents
 * @param decoder its levels from the pixels to the latents, too
 * @param unshuffles whether the encoder's halvings move neighbours into channels
 * @param interpolates whether the decoder's doublings repeat values
 * @param encoderShortcut whether means of the last level's channels are added to the latents
 * @param decoderShortcut whether latents, repeated, are added to the first level's channels
 * @param lastActivation of the decoder
 */
record DeepVaeConfig(
    String origin,
    int latentChannels,
    int headSize,
    double scalingFactor,
    List<DeepLevel> encoder,
    List<DeepLevel> decoder,
    boolean unshuffles,
    boolean interpolates,
    boolean encoderShortcut,
    boolean decoderShortcut,
    String lastActivation)
    implements LayeredVae {
  /** Rows and columns of a tile in pixels, of which an eighth is its neighbours', too. */
  private static final int TILE = 512;

  private static final double OVERLAP = 0.125;

  /** Refuses numbers of which no autoencoder can be made. */
  DeepVaeConfig {
    encoder = List.copyOf(encoder);
    decoder = List.copyOf(decoder);
    if (latentChannels < 1 || headSize < 1 || encoder.size() != decoder.size()) {
      throw new ModelException(
          "%s: latent_channels %d and attention_head_dim %d must be at least 1, encoder and decoder of as many levels, not %d and %d"
              .formatted(origin, latentChannels, headSize, encoder.size(), decoder.size()));
    }
    for (List<DeepLevel> half : List.of(encoder, decoder)) {
      if (half.stream().skip(1).anyMatch(level -> level.layers() == 0)) {
        throw new ModelException(origin + ": only the first level may be without layers");
      }
      int last = half.get(half.size() - 1).width();
      if (last % latentChannels != 0) {
        throw new ModelException(
            "%s: latent_channels %d does not divide the %d channels of the last level"
                .formatted(origin, latentChannels, last));
      }
    }
    if (!Double.isFinite(scalingFactor) || scalingFactor == 0) {
      throw new ModelException(
          "%s: scaling_factor %s must be finite and not 0".formatted(origin, scalingFactor));
    }
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @throws ModelException naming the setting that is wrong or that is not supported
   */
  static DeepVaeConfig from(ComponentConfig json) {
    ComponentConfig config = json.unquantized();
    config.require("in_channels", EncoderConfig.COLOURS);
    return new DeepVaeConfig(
        config.origin(),
        config.getInt("latent_channels", 32),
        config.getInt("attention_head_dim", 32),
        config.getDouble("scaling_factor", 1),
        DeepLevel.encoder(config),
        DeepLevel.decoder(config),
        config.getString("downsample_block_type", SHUFFLED_DOWN).equals(SHUFFLED_DOWN),
        config.getString("upsample_block_type", "pixel_shuffle").equals("interpolate"),
        config.getBoolean("encoder_out_shortcut", true),
        config.getBoolean("decoder_in_shortcut", true),
        DeepLevel.activation(config, config.getString("decoder_conv_act_fn", "relu")));
  }

  private static final String SHUFFLED_DOWN = "pixel_unshuffle";

  /** {@inheritDoc} A power of two. */
  @Override
  public int scale() {
    return 1 << (encoder.size() - 1);
  }

  @Override
  public VaeDecoder.Footprint footprint() {
    return new VaeDecoder.Footprint(widest(decoder), TILE);
  }

  @Override
  public VaeDecoder.Footprint encoderFootprint() {
    return new VaeDecoder.Footprint(widest(encoder), TILE);
  }

  /**
   * Channels for each pixel of the picture in the level that has most; a level has a quarter of the
   * positions of the one before it, and a block with attention widens eightfold.
   */
  private static int widest(List<DeepLevel> half) {
    int most = EncoderConfig.COLOURS;
    for (int i = 0; i < half.size(); i++) {
      DeepLevel level = half.get(i);
      if (level.layers() > 0) {
        int channels = (level.attends() ? DeepLevel.WIDENED : 1) * level.width();
        most = Math.max(most, channels >> (2 * i));
      }
    }
    return most;
  }

  @Override
  public boolean draws() {
    return false;
  }

  @Override
  public Vae unshifted() {
    return this;
  }

  @Override
  public Tiling tiling() {
    return Tiling.blended(TILE / scale(), TILE, OVERLAP);
  }

  @Override
  public boolean beside(String name) {
    return LayeredVae.super.beside(name) || name.endsWith(".num_batches_tracked");
  }

  @Override
  public Sequence decoderLayers(NDManager owner, Weights weights) {
    return new DeepVaeLayers(owner, weights.at("decoder."), this).decoder();
  }

  @Override
  public Sequence encoderLayers(NDManager owner, ComponentConfig settings, Weights weights) {
    return new DeepVaeLayers(owner, weights.at("encoder."), this).encoder();
  }

  @Override
  public NDArray unscaled(NDManager owner, NDArray latents, int type, boolean shifted) {
    return Layer.VAE.call(owner, "enter", latents, type, scalingFactor, 0.0);
  }

  @Override
  public NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise) {
    return Layer.ENCODER.call(owner, "leave", encoded, noise, true, scalingFactor, 0.0);
  }
}
