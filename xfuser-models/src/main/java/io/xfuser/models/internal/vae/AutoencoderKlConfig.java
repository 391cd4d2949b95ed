package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * The settings of diffusers' AutoencoderKL, AutoencoderKLTemporalDecoder and AutoencoderTiny that
 * their decoders depend on.
 *
 * @param origin where the settings are from, for messages
 * @param latentChannels channels of the latents
 * @param outChannels channels of the pixels
 * @param widths channels of the levels from the pixels to the latents, {@code block_out_channels}
 * @param layersPerBlock residual blocks of an encoder's level; the decoder's have one more
 * @param normGroups groups of every group normalisation
 * @param sampleSize rows and columns of the pictures it was trained on, and of a tile
 * @param scalingFactor what latents were multiplied by after encoding
 * @param shiftFactor what was subtracted from latents before, 0 if nothing
 * @param postQuantConv whether a 1×1 convolution comes first
 * @param midAttention whether the middle block has self-attention
 * @param temporal whether frames of a video are decoded together, each block looking at its
 *     neighbours in time
 * @param tinyBlocks of an AutoencoderTiny the residual blocks of each stage, else empty
 */
public record AutoencoderKlConfig(
    String origin,
    int latentChannels,
    int outChannels,
    List<Integer> widths,
    int layersPerBlock,
    int normGroups,
    int sampleSize,
    double scalingFactor,
    double shiftFactor,
    boolean postQuantConv,
    boolean midAttention,
    boolean temporal,
    List<Integer> tinyBlocks)
    implements LayeredVae {
  private static final String PICTURES = "AutoencoderKL";
  private static final String VIDEOS = "AutoencoderKLTemporalDecoder";
  private static final String TINY = "AutoencoderTiny";

  /** Rows and columns of the tiles of every AutoencoderTiny, in pixels. */
  private static final int TINY_TILE = 512;

  /** The groups, and the layers per block, of every temporal decoder. */
  private static final int TEMPORAL_GROUPS = 32;

  private static final int TEMPORAL_LAYERS = 2;

  /**
   * Copies the lists.
   *
   * @throws ModelException if a number is not positive or the groups do not divide a width
   */
  public AutoencoderKlConfig {
    widths = List.copyOf(widths);
    tinyBlocks = List.copyOf(tinyBlocks);
    requirePositive(origin, "latent_channels", latentChannels);
    requirePositive(origin, "out_channels", outChannels);
    requirePositive(origin, "layers_per_block", layersPerBlock);
    requirePositive(origin, "norm_num_groups", normGroups);
    requirePositive(origin, "sample_size", sampleSize);
    requirePositive(origin, "block_out_channels' length", widths.size());
    for (int width : widths) {
      requirePositive(origin, "block_out_channels", width);
      if (width % normGroups != 0) {
        throw new ModelException(
            "%s: norm_num_groups %d does not divide the %d channels of block_out_channels %s"
                .formatted(origin, normGroups, width, widths));
      }
    }
    if (!Double.isFinite(scalingFactor) || scalingFactor == 0 || !Double.isFinite(shiftFactor)) {
      throw new ModelException(
          "%s: scaling_factor %s and shift_factor %s must be finite, the first not 0"
              .formatted(origin, scalingFactor, shiftFactor));
    }
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default. The means and standard
   * deviations of latents do not count: no pipeline here looks at them.
   *
   * @throws ModelException naming the setting that is wrong or that is not supported
   */
  public static AutoencoderKlConfig from(ComponentConfig json) {
    ComponentConfig config = json.unquantized();
    String kind = config.getString("_class_name", PICTURES);
    requireOneOf(config, "_class_name", kind, List.of(PICTURES, VIDEOS, TINY));
    return switch (kind) {
      case VIDEOS -> ofVideos(config);
      case TINY -> ofTiny(config);
      default -> ofPictures(config);
    };
  }

  private static AutoencoderKlConfig ofPictures(ComponentConfig config) {
    String activation = config.getString("act_fn", "silu");
    requireOneOf(config, "act_fn", activation, List.of("silu", "swish"));
    List<Integer> widths = listOr(config, "block_out_channels", List.of(64));
    refuseOtherBlocks(config, widths.size());
    return new AutoencoderKlConfig(
        config.origin(),
        config.getInt("latent_channels", 4),
        config.getInt("out_channels", 3),
        widths,
        config.getInt("layers_per_block", 1),
        config.getInt("norm_num_groups", 32),
        sampleSize(config),
        config.getDouble("scaling_factor", 0.18215),
        config.getDouble("shift_factor", 0),
        config.getBoolean("use_post_quant_conv", true),
        config.getBoolean("mid_block_add_attention", true),
        false,
        List.of());
  }

  private static AutoencoderKlConfig ofVideos(ComponentConfig config) {
    int layers = config.getInt("layers_per_block", 1);
    if (layers != TEMPORAL_LAYERS) {
      throw new ModelException(
          "%s: layers_per_block %d of %s is not supported, only %d"
              .formatted(config.origin(), layers, VIDEOS, TEMPORAL_LAYERS));
    }
    return new AutoencoderKlConfig(
        config.origin(),
        config.getInt("latent_channels", 4),
        config.getInt("out_channels", 3),
        listOr(config, "block_out_channels", List.of(64)),
        layers,
        TEMPORAL_GROUPS,
        sampleSize(config),
        config.getDouble("scaling_factor", 0.18215),
        0,
        false,
        true,
        true,
        List.of());
  }

  /** Source: diffusers {@code autoencoder_tiny.py}. */
  private static AutoencoderKlConfig ofTiny(ComponentConfig config) {
    requireOneOf(config, "act_fn", config.getString("act_fn", "relu"), List.of("relu"));
    String upsampling = config.getString("upsample_fn", "nearest");
    requireOneOf(config, "upsample_fn", upsampling, List.of("nearest"));
    String factor = String.valueOf(config.getInt("upsampling_scaling_factor", 2));
    requireOneOf(config, "upsampling_scaling_factor", factor, List.of("2"));
    List<Integer> widths = listOr(config, "decoder_block_out_channels", List.of(64, 64, 64, 64));
    List<Integer> blocks = listOr(config, "num_decoder_blocks", List.of(3, 3, 3, 1));
    if (blocks.size() != widths.size() || widths.stream().distinct().count() > 1) {
      throw new ModelException(
          "%s: num_decoder_blocks %s need decoder_block_out_channels of as many equal numbers, not %s"
              .formatted(config.origin(), blocks, widths));
    }
    return new AutoencoderKlConfig(
        config.origin(),
        config.getInt("latent_channels", 4),
        config.getInt("out_channels", 3),
        widths,
        1,
        1,
        TINY_TILE,
        config.getDouble("scaling_factor", 1),
        config.getDouble("shift_factor", 0),
        false,
        false,
        false,
        blocks);
  }

  static List<Integer> listOr(ComponentConfig config, String name, List<Integer> otherwise) {
    return config.has(name) ? config.getIntList(name) : otherwise;
  }

  /** Whether this is an AutoencoderTiny. */
  boolean tiny() {
    return !tinyBlocks.isEmpty();
  }

  @Override
  public AutoencoderKlConfig unshifted() {
    return new AutoencoderKlConfig(
        origin,
        latentChannels,
        outChannels,
        widths,
        layersPerBlock,
        normGroups,
        sampleSize,
        scalingFactor,
        0,
        postQuantConv,
        midAttention,
        temporal,
        tinyBlocks);
  }

  /** {@inheritDoc} A power of two. */
  @Override
  public int scale() {
    return 1 << (widths.size() - 1);
  }

  /** The last upsampling writes the second level's channels at the picture's size. */
  @Override
  public VaeDecoder.Footprint footprint() {
    return new VaeDecoder.Footprint(widths.get(Math.min(1, widths.size() - 1)), sampleSize);
  }

  @Override
  public Sequence decoderLayers(NDManager owner, Weights weights) {
    return tiny()
        ? TinyLayers.read(owner, this, weights)
        : DecoderLayers.read(owner, this, weights);
  }

  @Override
  public Sequence encoderLayers(NDManager owner, ComponentConfig settings, Weights weights) {
    EncoderConfig encoder = EncoderConfig.from(settings, this);
    return tiny()
        ? TinyLayers.readEncoder(owner, this, encoder, weights)
        : EncoderLayers.read(owner, this, encoder, weights);
  }

  /** Of AutoencoderKL tiles of the size of the pictures that it was trained on. */
  @Override
  public Tiling tiling() {
    int latents = sampleSize / scale();
    return tiny()
        ? Tiling.painted(latents, sampleSize, 0.125)
        : Tiling.blended(latents, sampleSize, 0.25);
  }

  @Override
  public NDArray unscaled(NDManager owner, NDArray latents, int type, boolean shifted) {
    double shift = shifted ? shiftFactor : 0;
    return Layer.VAE.call(owner, "enter", latents, type, scalingFactor, shift);
  }

  @Override
  public NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise) {
    return Layer.ENCODER.call(owner, "leave", encoded, noise, tiny(), scalingFactor, shiftFactor);
  }

  @Override
  public boolean draws() {
    return !tiny();
  }

  /** The first level is at the picture's size; of an AutoencoderTiny it is not known here. */
  @Override
  public VaeDecoder.Footprint encoderFootprint() {
    return new VaeDecoder.Footprint(tiny() ? 0 : widths.get(0), sampleSize);
  }

  static void refuseOtherBlocks(ComponentConfig config, int levels) {
    List<String> blocks =
        config.has("up_block_types")
            ? config.getStringList("up_block_types")
            : List.of("UpDecoderBlock2D");
    for (String block : blocks) {
      requireOneOf(config, "up_block_types", block, List.of("UpDecoderBlock2D"));
    }
    if (blocks.size() != levels) {
      throw new ModelException(
          "%s: %d up_block_types for %d block_out_channels"
              .formatted(config.origin(), blocks.size(), levels));
    }
  }

  /** One number for both sides, or a list, of which diffusers takes the first for its tiles. */
  static int sampleSize(ComponentConfig config) {
    if (!config.text("sample_size").startsWith("[")) {
      return config.getInt("sample_size", 32);
    }
    List<Integer> sides = config.getIntList("sample_size");
    return sides.isEmpty() ? 0 : sides.get(0);
  }

  static void requireOneOf(
      ComponentConfig config, String name, String value, List<String> supported) {
    if (!supported.contains(value)) {
      throw new ModelException(
          "%s: %s %s is not supported, only %s"
              .formatted(config.origin(), name, value, String.join(", ", supported)));
    }
  }

  private static void requirePositive(String origin, String name, int value) {
    if (value < 1) {
      throw new ModelException("%s: %s must be at least 1, not %d".formatted(origin, name, value));
    }
  }
}
