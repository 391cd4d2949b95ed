package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.vae.ResnetBlock.Sight;
import io.xfuser.models.internal.weights.Weights;
import java.util.ArrayList;
import java.util.List;

/** Reads the layers of an autoencoder of videos that a single frame passes. */
final class CausalVaeLayers {
  private static final Sight SIGHT = new Sight(PixelNorm.Kind.VIDEOS, Kernel.CAUSAL_SQUARE);

  private final NDManager owner;
  private final Weights weights;
  private final List<Layer> layers = new ArrayList<>();

  /** Of {@code weights}, which {@code owner} will own. */
  CausalVaeLayers(NDManager owner, Weights weights) {
    this.owner = owner;
    this.weights = weights;
  }

  /** From unscaled latents (B, c, h, w) to pixels (B, 3, H, W). */
  Sequence decoder(CausalVaeConfig config) {
    int latents = config.latentChannels();
    int last = config.widths().size() - 1;
    int in = config.widths().get(last);
    convolution("post_quant_conv.", latents, latents, Kernel.CAUSAL_POINT);
    convolution("decoder.conv_in.", latents, in, Kernel.CAUSAL_SQUARE);
    middle("decoder.mid_block.", in);
    for (int level = 0; level <= last; level++) {
      String block = "decoder.up_blocks." + level + ".";
      int width = config.widths().get(last - level);
      for (int i = 0; i <= config.residuals(); i++) {
        resnet(block + "resnets." + i + ".", in, width);
        in = width;
      }
      if (level < last) {
        layers.add(new Upsample());
        in = width / 2;
        convolution(block + "upsamplers.0.resample.1.", width, in, Kernel.SQUARE);
      }
    }
    return finished("decoder", in, EncoderConfig.COLOURS);
  }

  /** From pixels (B, 3, H, W) to means and logarithms of variances (B, 2c, h, w). */
  Sequence encoder(CausalVaeConfig config) {
    int in = config.widths().get(0);
    convolution("encoder.conv_in.", EncoderConfig.COLOURS, in, Kernel.CAUSAL_SQUARE);
    int last = config.widths().size() - 1;
    int next = 0; // blocks and halvings are numbered together
    for (int level = 0; level <= last; level++) {
      int width = config.widths().get(level);
      for (int i = 0; i < config.residuals(); i++) {
        resnet("encoder.down_blocks." + next++ + ".", in, width);
        in = width;
      }
      if (level < last) {
        String halving = "encoder.down_blocks." + next++ + ".resample.1.";
        layers.add(Halving.below(owner, weights.at(halving), width));
      }
    }
    middle("encoder.mid_block.", in);
    int out = 2 * config.latentChannels();
    finished("encoder", in, out);
    convolution("quant_conv.", out, out, Kernel.CAUSAL_POINT);
    return new Sequence(layers);
  }

  private Sequence finished(String half, int in, int out) {
    layers.add(PixelNorm.Kind.VIDEOS.read(owner, weights.at(half + ".norm_out."), in, true));
    convolution(half + ".conv_out.", in, out, Kernel.CAUSAL_SQUARE);
    return new Sequence(layers);
  }

  private void middle(String name, int width) {
    resnet(name + "resnets.0.", width, width);
    Weights attention = weights.at(name + "attentions.0.");
    layers.add(SelfAttention.ofConvolutions(owner, attention, width, PixelNorm.Kind.PICTURES));
    resnet(name + "resnets.1.", width, width);
  }

  private void resnet(String name, int in, int out) {
    layers.add(new ResnetBlock(owner, weights.at(name), new Channels(in, out), SIGHT));
  }

  private void convolution(String name, int in, int out, Kernel kernel) {
    layers.add(new Convolution(owner, weights.at(name), new Channels(in, out), kernel));
  }
}
