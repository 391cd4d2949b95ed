package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;

/** Reads the decoder's layers in the order in which they run. */
final class DecoderLayers {
  private final AutoencoderKlConfig config;
  private final LayerReader reader;

  private DecoderLayers(AutoencoderKlConfig config, LayerReader reader) {
    this.config = config;
    this.reader = reader;
  }

  /**
   * The whole decoder, from unscaled latents (B, c, h, w) to pixels (B, 3, H, W). B are pictures,
   * or the frames of one video where {@code config} is temporal.
   *
   * @param owner of the weights
   * @param weights those of the autoencoder
   */
  static Sequence read(NDManager owner, AutoencoderKlConfig config, Weights weights) {
    LayerReader reader = new LayerReader(owner, config, weights);
    DecoderLayers decoder = new DecoderLayers(config, reader);
    decoder.addEntry();
    reader.middle("decoder.mid_block.");
    decoder.addLevels();
    decoder.addExit();
    return reader.sequence();
  }

  private void addEntry() {
    int latents = config.latentChannels();
    if (config.postQuantConv()) {
      reader.convolution("post_quant_conv.", latents, latents, Kernel.POINT);
    }
    reader.convolution("decoder.conv_in.", latents, reader.deepest(), Kernel.SQUARE);
  }

  private void addLevels() {
    int levels = config.widths().size();
    int in = reader.deepest();
    for (int level = 0; level < levels; level++) {
      String block = "decoder.up_blocks." + level + ".";
      int width = config.widths().get(levels - 1 - level);
      for (int i = 0; i <= config.layersPerBlock(); i++) {
        reader.resnet(block + "resnets." + i + ".", in, width);
        in = width;
      }
      if (level < levels - 1) {
        reader.add(new Upsample());
        reader.convolution(block + "upsamplers.0.conv.", width, width, Kernel.SQUARE);
      }
    }
  }

  private void addExit() {
    int width = config.widths().get(0);
    reader.normAndSilu("decoder.conv_norm_out.", width);
    int out = config.outChannels();
    reader.convolution("decoder.conv_out.", width, out, Kernel.SQUARE);
    if (config.temporal()) {
      reader.overFrames("decoder.time_conv_out.", out);
    }
  }
}
