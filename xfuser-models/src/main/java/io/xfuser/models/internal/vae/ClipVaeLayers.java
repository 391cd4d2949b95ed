package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.CausalConvolution.Outside;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the layers of diffusers' CogVideoXDecoder3D. */
final class ClipVaeLayers {
  private final NDManager owner;
  private final Weights weights;
  private final ClipVaeConfig config;
  private final List<Layer> layers = new ArrayList<>();

  /** Of {@code weights}, which {@code owner} will own. */
  ClipVaeLayers(NDManager owner, Weights weights, ClipVaeConfig config) {
    this.owner = owner;
    this.weights = weights.at("decoder.");
    this.config = config;
  }

  /** From unscaled latents (F, c, h, w) to pixels (F', 3, H, W). */
  Sequence decoder() {
    int last = config.widths().size() - 1;
    int in = config.widths().get(last);
    layers.add(square("conv_in.", config.latentChannels(), in));
    for (int resnet = 0; resnet < 2; resnet++) {
      resnet("mid_block.resnets." + resnet + ".", in, in);
    }
    for (int i = 0; i <= last; i++) {
      int width = config.widths().get(last - i);
      String block = "up_blocks." + i + ".";
      for (int resnet = 0; resnet <= config.residuals(); resnet++) {
        resnet(block + "resnets." + resnet + ".", resnet == 0 ? in : width, width);
      }
      if (i < last) {
        layers.add(i < config.doublings() ? new Doubling() : new Upsample());
        layers.add(
            new Convolution(
                owner,
                weights.at(block + "upsamplers.0.conv."),
                new Channels(width, width),
                Kernel.SQUARE));
      }
      in = width;
    }
    layers.add(norm("norm_out.", in));
    layers.add(square("conv_out.", in, EncoderConfig.COLOURS));
    return new Sequence(layers);
  }

  private void resnet(String name, int in, int out) {
    Layer body =
        new Sequence(
            List.of(
                norm(name + "norm1.", in),
                square(name + "conv1.", in, out),
                norm(name + "norm2.", out),
                square(name + "conv2.", out, out)));
    @Nullable Layer shortcut =
        in == out
            ? null
            : new Convolution(
                owner,
                weights.at(name + "conv_shortcut."),
                new Channels(in, out),
                Kernel.CAUSAL_POINT);
    layers.add(new ResnetBlock(body, shortcut));
  }

  private Layer norm(String name, int width) {
    return SpatialNorm.read(
        owner, weights.at(name), config.groups(), width, config.latentChannels());
  }

  private Layer square(String name, int in, int out) {
    Channels channels = new Channels(in, out);
    return CausalConvolution.square(
        owner, weights.at(name + "conv."), channels, Outside.FIRST_FRAME);
  }
}
