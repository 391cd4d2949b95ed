package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;

/** Reads the encoder's layers in the order in which they run. */
final class EncoderLayers {
  private EncoderLayers() {}

  /**
   * The whole encoder, from pixels (B, 3, H, W) to means and logarithms of variances (B, 2c, h, w).
   *
   * @param owner of the weights
   * @param encoder what the encoder alone has of settings
   * @param weights those of the autoencoder
   */
  static Sequence read(
      NDManager owner, AutoencoderKlConfig config, EncoderConfig encoder, Weights weights) {
    LayerReader reader = new LayerReader(owner, config, weights);
    int in = config.widths().get(0);
    reader.convolution("encoder.conv_in.", EncoderConfig.COLOURS, in, Kernel.SQUARE);
    int levels = config.widths().size();
    for (int level = 0; level < levels; level++) {
      String block = "encoder.down_blocks." + level + ".";
      int width = config.widths().get(level);
      for (int i = 0; i < config.layersPerBlock(); i++) {
        reader.resnet(block + "resnets." + i + ".", in, width);
        in = width;
      }
      if (level < levels - 1) {
        reader.halving(block + "downsamplers.0.conv.", width);
      }
    }
    reader.middle("encoder.mid_block.");
    reader.normAndSilu("encoder.conv_norm_out.", in);
    int out = 2 * config.latentChannels();
    reader.convolution("encoder.conv_out.", in, out, Kernel.SQUARE);
    if (encoder.quantConv()) {
      reader.convolution("quant_conv.", out, out, Kernel.POINT);
    }
    return reader.sequence();
  }
}
