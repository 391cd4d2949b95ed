package io.xfuser.models.internal.vae;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * What encoders of diffusers' AutoencoderKL and AutoencoderTiny depend on besides what decoders do.
 * Read when a picture is to be encoded: nobody else minds.
 *
 * @param quantConv whether a 1×1 convolution comes last
 * @param tinyWidth of an AutoencoderTiny the channels of every stage, else 0
 * @param tinyBlocks of an AutoencoderTiny the residual blocks of each stage, else empty
 */
public record EncoderConfig(boolean quantConv, int tinyWidth, List<Integer> tinyBlocks) {
  /** Channels of pixels. */
  static final int COLOURS = 3;

  public EncoderConfig {
    tinyBlocks = List.copyOf(tinyBlocks);
  }

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @param decoder what was read of it for the decoder
   * @throws ModelException naming the setting that is not supported
   */
  public static EncoderConfig from(ComponentConfig json, AutoencoderKlConfig decoder) {
    ComponentConfig config = json.unquantized();
    if (decoder.temporal()) {
      throw new ModelException(config.origin() + ": an encoder of videos is not supported");
    }
    config.require("in_channels", COLOURS);
    return decoder.tiny() ? ofTiny(config, decoder) : ofPictures(config, decoder);
  }

  private static EncoderConfig ofPictures(ComponentConfig config, AutoencoderKlConfig decoder) {
    String known = "DownEncoderBlock2D";
    List<String> blocks =
        config.has("down_block_types") ? config.getStringList("down_block_types") : List.of(known);
    if (blocks.size() != decoder.widths().size() || !blocks.stream().allMatch(known::equals)) {
      throw new ModelException(
          "%s: down_block_types %s are not supported, only %s for each of block_out_channels %s"
              .formatted(config.origin(), blocks, known, decoder.widths()));
    }
    return new EncoderConfig(config.getBoolean("use_quant_conv", true), 0, List.of());
  }

  /** Source: diffusers {@code autoencoder_tiny.py}. */
  private static EncoderConfig ofTiny(ComponentConfig config, AutoencoderKlConfig decoder) {
    List<Integer> widths =
        config.has("encoder_block_out_channels")
            ? config.getIntList("encoder_block_out_channels")
            : List.of(64, 64, 64, 64);
    List<Integer> blocks =
        config.has("num_encoder_blocks")
            ? config.getIntList("num_encoder_blocks")
            : List.of(1, 3, 3, 3);
    if (blocks.size() != decoder.widths().size()
        || widths.size() != blocks.size()
        || widths.stream().distinct().count() > 1
        || widths.get(0) < 1) {
      throw new ModelException(
          "%s: num_encoder_blocks %s and encoder_block_out_channels %s must have as many equal"
                  .formatted(config.origin(), blocks, widths)
              + " widths as the decoder has stages: "
              + decoder.widths().size());
    }
    return new EncoderConfig(false, widths.get(0), blocks);
  }
}
