package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.stream.Stream;

/**
 * The settings of diffusers' AutoencoderKLWan and AutoencoderKLQwenImage: autoencoders of videos
 * whose convolutions see no later frame. A picture is a first frame: before it are zeros, and
 * nothing mixes it with others.
 *
 * @param origin where the settings are from, for messages
 * @param latentChannels c, channels of the latents
 * @param base channels that the encoder makes of pixels
 * @param widths channels of the encoder's levels from the pixels to the latents
 * @param decoderWidths the same of the decoder
 * @param residuals residual blocks of an encoder's level; the decoder's have one more
 * @param halvesTime whether the encoder's levels but the last make one frame of two
 * @param latents what each channel of the latents is divided by, and moved
 * @param residual whether levels have shortcuts, as Wan 2.2's
 * @param patch rows and columns of pixels that pass as channels
 * @param videos whether frames see those before them: otherwise each is a picture
 */
record CausalVaeConfig(
    String origin,
    int latentChannels,
    int base,
    List<Integer> widths,
    List<Integer> decoderWidths,
    int residuals,
    List<Boolean> halvesTime,
    Whitening latents,
    boolean residual,
    int patch,
    boolean videos)
    implements LayeredVae {
  /** Rows and columns of a tile in pixels, whatever the settings. */
  private static final int TILE = 256;

  private static final double OVERLAP = 0.25;

  /** Refuses numbers of which no autoencoder can be made. */
  CausalVaeConfig {
    widths = List.copyOf(widths);
    decoderWidths = List.copyOf(decoderWidths);
    halvesTime = List.copyOf(halvesTime);
    // a decoder's level begins with half of what the one before it has
    boolean halved = residual || decoderWidths.stream().skip(1).allMatch(width -> width % 2 == 0);
    boolean positive = widths.stream().allMatch(w -> w > 0) && decoderWidths.get(0) > 0;
    if (latentChannels < 1 || residuals < 1 || base < 1 || !positive || !halved) {
      throw new ModelException(
          "%s: z_dim %d, num_res_blocks %d and widths %s must be at least 1, all widths but the first even"
              .formatted(origin, latentChannels, residuals, widths));
    }
    if (residual) {
      ShortcutLevel.requireMeans(origin, base, widths, halvesTime);
      ShortcutLevel.requireRepeats(origin, decoderWidths, halvesTime);
    }
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @param videos whether it is made for them, and not for pictures
   * @throws ModelException naming the setting that is wrong or that is not supported
   */
  static CausalVaeConfig from(ComponentConfig json, boolean videos) {
    ComponentConfig config = json.unquantized();
    refuse(
        config,
        "attn_scales",
        config.has("attn_scales") && !config.text("attn_scales").equals("[]"));
    int base = config.getInt("base_dim", 96);
    int decoderBase = config.has("decoder_base_dim") ? config.getInt("decoder_base_dim") : base;
    List<Integer> factors =
        config.has("dim_mult") ? config.getIntList("dim_mult") : List.of(1, 2, 4, 4);
    int patch = config.has("patch_size") ? config.getInt("patch_size") : 1;
    CausalVaeConfig read =
        new CausalVaeConfig(
            config.origin(),
            config.getInt("z_dim", 16),
            base,
            factors.stream().map(factor -> base * factor).toList(),
            factors.stream().map(factor -> decoderBase * factor).toList(),
            config.getInt("num_res_blocks", 2),
            halvesTime(config, factors),
            Whitening.from(config, config.getInt("z_dim", 16)),
            config.getBoolean("is_residual", false),
            patch,
            videos);
    config.require("input_channels", EncoderConfig.COLOURS);
    config.require("in_channels", read.colours());
    config.require("out_channels", read.colours());
    config.require("scale_factor_spatial", read.scale());
    config.require("scale_factor_temporal", read.temporalScale());
    return read;
  }

  private static List<Boolean> halvesTime(ComponentConfig config, List<Integer> factors) {
    String name = "temperal_downsample"; // as diffusers spells it
    String text = config.has(name) ? config.text(name) : "[false, true, true]";
    String inner = text.replaceAll("[\\[\\]\\s]", "");
    List<Boolean> all =
        inner.isEmpty() ? List.of() : Stream.of(inner.split(",", -1)).map("true"::equals).toList();
    if (factors.isEmpty() || all.size() != factors.size() - 1) {
      throw new ModelException(
          "%s: %s %s must have one value less than dim_mult %s"
              .formatted(config.origin(), name, text, factors));
    }
    if (all.stream().filter(halves -> halves).count() > 2) { // of four frames that pass together
      throw new ModelException(
          "%s: %s %s is not supported, only two of them may be true"
              .formatted(config.origin(), name, text));
    }
    return all;
  }

  private static void refuse(ComponentConfig config, String name, boolean found) {
    if (found) {
      throw new ModelException(
          "%s: %s %s is not supported".formatted(config.origin(), name, config.text(name)));
    }
  }

  /** Channels of what passes as pixels. */
  int colours() {
    return EncoderConfig.COLOURS * patch * patch;
  }

  /** The same for videos, or for pictures. */
  CausalVaeConfig of(boolean frames) {
    return new CausalVaeConfig(
        origin,
        latentChannels,
        base,
        widths,
        decoderWidths,
        residuals,
        halvesTime,
        latents,
        residual,
        patch,
        frames);
  }

  /** {@inheritDoc} A power of two, and the patch. */
  @Override
  public int scale() {
    return patch << (widths.size() - 1);
  }

  @Override
  public int temporalScale() {
    return 1 << halvesTime.stream().filter(halves -> halves).count();
  }

  /**
   * The last upsampling writes the second level's channels, of which a convolution makes half. Of
   * videos as many frames pass together as one of latents stands for, and each convolution of the
   * last level keeps two.
   */
  @Override
  public VaeDecoder.Footprint footprint() {
    int second = decoderWidths.get(Math.min(1, decoderWidths.size() - 1));
    int width = Math.max(decoderWidths.get(0), second * 3 / 4);
    int kept =
        2 * (residuals + 1) + 1; // convolutions, of two frames each: a tensor is read, one written
    int all = videos ? width * temporalScale() + kept * decoderWidths.get(0) : width;
    return new VaeDecoder.Footprint(Math.max(1, all / (patch * patch)), TILE);
  }

  /** The first level is at the picture's size. */
  @Override
  public VaeDecoder.Footprint encoderFootprint() {
    return new VaeDecoder.Footprint(Math.max(1, widths.get(0) / (patch * patch)), TILE);
  }

  @Override
  public boolean draws() {
    return true;
  }

  @Override
  public Vae unshifted() {
    return this;
  }

  /** Tiles are blended before patches become pixels. */
  @Override
  public Tiling tiling() {
    return Tiling.blended(TILE / scale(), TILE / patch, OVERLAP);
  }

  /** {@inheritDoc} diffusers counts pixels where it looks whether to divide, then patches. */
  @Override
  public Tiling encoderTiling() {
    Tiling.Side side = new Tiling.Side(TILE * patch, TILE * patch / scale(), OVERLAP, TILE);
    return new Tiling(side, side, false);
  }

  @Override
  public boolean beside(String name) {
    return LayeredVae.super.beside(name) || (!videos && name.contains(".time_conv."));
  }

  @Override
  public NDArray finished(NDManager owner, NDArray x) {
    return CausalConvolution.CAUSAL.call(owner, "shown", x, patch, videos);
  }

  @Override
  public VaeDecoder decoder(ComponentWeights source) {
    return AutoencoderKlDecoder.open(of(false), source);
  }

  @Override
  public VaeDecoder framesDecoder(ComponentWeights source) {
    return new CausalDecoder(AutoencoderKlDecoder.open(of(true), source));
  }

  @Override
  public VaeEncoder encoder(ComponentConfig config, ComponentWeights source) {
    return AutoencoderKlEncoder.open(of(false), config, source);
  }

  @Override
  public VaeEncoder framesEncoder(ComponentConfig config, ComponentWeights source) {
    return new CausalEncoder(AutoencoderKlEncoder.open(of(true), config, source));
  }

  @Override
  public Sequence decoderLayers(NDManager owner, Weights weights) {
    return new CausalVaeLayers(owner, weights, this).decoder();
  }

  @Override
  public Sequence encoderLayers(NDManager owner, ComponentConfig settings, Weights weights) {
    return new CausalVaeLayers(owner, weights, this).encoder();
  }

  @Override
  public NDArray unscaled(NDManager owner, NDArray x, int type, boolean shifted) {
    return latents.unscaled(owner, x, type);
  }

  @Override
  public NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise) {
    return latents.scaled(owner, encoded, noise);
  }
}
