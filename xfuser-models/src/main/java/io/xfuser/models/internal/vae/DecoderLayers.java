package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.vae.GroupNorm.Groups;
import io.xfuser.models.internal.vae.ResnetBlock.Sight;
import io.xfuser.models.internal.weights.Weights;
import java.util.ArrayList;
import java.util.List;

/** Reads the decoder's layers in the order in which they run. */
final class DecoderLayers {
  private static final double EPSILON = 1e-6;

  private final NDManager owner;
  private final AutoencoderKlConfig config;
  private final Weights weights;
  private final Groups groups;
  private final List<Layer> layers = new ArrayList<>();

  private DecoderLayers(NDManager owner, AutoencoderKlConfig config, Weights weights) {
    this.owner = owner;
    this.config = config;
    this.weights = weights;
    groups = new Groups(config.normGroups(), EPSILON);
  }

  /**
   * The whole decoder, from unscaled latents (B, c, h, w) to pixels (B, 3, H, W). B are pictures,
   * or the frames of one video where {@code config} is temporal.
   *
   * @param owner of the weights
   * @param weights those of the autoencoder
   */
  static Sequence read(NDManager owner, AutoencoderKlConfig config, Weights weights) {
    DecoderLayers reader = new DecoderLayers(owner, config, weights);
    reader.addEntry();
    reader.addMiddle();
    reader.addLevels();
    reader.addExit();
    return new Sequence(reader.layers);
  }

  private void addEntry() {
    int latents = config.latentChannels();
    if (config.postQuantConv()) {
      addConvolution("post_quant_conv.", latents, latents, Kernel.POINT);
    }
    addConvolution("decoder.conv_in.", latents, deepest(), Kernel.SQUARE);
  }

  private void addMiddle() {
    addResnet("decoder.mid_block.resnets.0.", deepest(), deepest());
    if (config.midAttention()) {
      Weights attention = weights.at("decoder.mid_block.attentions.0.");
      layers.add(new SelfAttention(owner, attention, deepest(), groups));
    }
    addResnet("decoder.mid_block.resnets.1.", deepest(), deepest());
  }

  private void addLevels() {
    int levels = config.widths().size();
    int in = deepest();
    for (int level = 0; level < levels; level++) {
      String block = "decoder.up_blocks." + level + ".";
      int width = config.widths().get(levels - 1 - level);
      for (int i = 0; i <= config.layersPerBlock(); i++) {
        addResnet(block + "resnets." + i + ".", in, width);
        in = width;
      }
      if (level < levels - 1) {
        layers.add(new Upsample());
        addConvolution(block + "upsamplers.0.conv.", width, width, Kernel.SQUARE);
      }
    }
  }

  private void addExit() {
    int width = config.widths().get(0);
    Weights norm = weights.at("decoder.conv_norm_out.");
    layers.add(GroupNorm.withSilu(owner, norm, width, groups));
    int out = config.outChannels();
    addConvolution("decoder.conv_out.", width, out, Kernel.SQUARE);
    if (config.temporal()) {
      Weights overTime = weights.at("decoder.time_conv_out.");
      Channels channels = new Channels(out, out);
      layers.add(new OverFrames(new Convolution(owner, overTime, channels, Kernel.FRAMES)));
    }
  }

  private int deepest() {
    return config.widths().get(config.widths().size() - 1);
  }

  private void addConvolution(String name, int in, int out, Kernel kernel) {
    layers.add(new Convolution(owner, weights.at(name), new Channels(in, out), kernel));
  }

  private void addResnet(String name, int in, int out) {
    Channels channels = new Channels(in, out);
    Weights block = weights.at(name);
    layers.add(
        config.temporal()
            ? new SpatioTemporalBlock(owner, block, channels, groups)
            : new ResnetBlock(owner, block, channels, new Sight(groups, Kernel.SQUARE)));
  }
}
