package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.CausalConvolution.Outside;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import java.util.ArrayList;
import java.util.List;

/** Reads the layers of a decoder of videos that repeats what is outside. */
final class ReplicatingVaeLayers {
  private final NDManager owner;
  private final Weights weights;
  private final ReplicatingVaeConfig config;
  private final List<Layer> layers = new ArrayList<>();

  /** Of {@code weights}, which {@code owner} will own. */
  ReplicatingVaeLayers(NDManager owner, Weights weights, ReplicatingVaeConfig config) {
    this.owner = owner;
    this.weights = weights.at("decoder.");
    this.config = config;
  }

  /** From unscaled latents (F, c, h, w) to pixels (F', 3, H, W). */
  Sequence decoder() {
    int width = config.widths().get(0);
    layers.add(new Entry(convolution("conv_in.", config.latentChannels(), width)));
    resnet("mid_block.resnets.0.", width, width);
    layers.add(SelfAttention.ofFrames(owner, weights.at("mid_block.attentions.0."), width));
    resnet("mid_block.resnets.1.", width, width);
    int in = width;
    for (int i = 0; i < config.widths().size(); i++) {
      in = level(i, in);
    }
    layers.add(normed("norm_out.", "conv_out.", in, EncoderConfig.COLOURS));
    return new Sequence(layers);
  }

  /** Reads level {@code i}; returns the channels that leave it. */
  private int level(int i, int in) {
    String block = "up_blocks." + i + ".";
    int width = config.widths().get(i);
    for (int resnet = 0; resnet <= config.residuals(); resnet++) {
      resnet(block + "resnets." + resnet + ".", resnet == 0 ? in : width, width);
    }
    if (i >= config.doublings()) {
      return width;
    }
    int out = config.out(i);
    int time = i < config.overTime() ? 2 : 1;
    Layer body = convolution(block + "upsamplers.0.conv.", width, 4 * time * out);
    layers.add(new Raising(body, out, time));
    return out;
  }

  private void resnet(String name, int in, int out) {
    Layer first = normed(name + "norm1.", name + "conv1.", in, out);
    Layer second = normed(name + "norm2.", name + "conv2.", out, out);
    layers.add(
        new ResnetBlock(owner, weights.at(name), new Channels(in, out), List.of(first, second)));
  }

  private Layer normed(String norm, String name, int in, int out) {
    PixelNorm read = PixelNorm.Kind.VIDEOS.read(owner, weights.at(norm), in, true);
    Weights kernel = weights.at(name + "conv.");
    return CausalConvolution.square(owner, read, kernel, new Channels(in, out), Outside.EDGES);
  }

  private Layer convolution(String name, int in, int out) {
    Channels channels = new Channels(in, out);
    return CausalConvolution.square(owner, weights.at(name + "conv."), channels, Outside.EDGES);
  }

  /**
   * The first convolution, and the latents themselves, whose channels are repeated.
   *
   * @param convolution of the latents
   */
  private record Entry(Layer convolution) implements Layer {
    @Override
    public NDArray forward(NDManager to, NDArray x, Strip strip) {
      try (NDManager scope = to.newSubManager()) {
        NDArray y = convolution.forward(scope, x, strip); // (F, O, H, W)
        return CausalConvolution.CAUSAL.call(to, "with_repeats", y, x);
      }
    }
  }

  /**
   * Twice as many rows and columns, and perhaps frames, of channels: diffusers'
   * HunyuanVideo15Upsample. The first frame of a video stays one.
   *
   * @param convolution makes the channels
   * @param out channels of the result
   * @param time frames of each but the first
   */
  private record Raising(Layer convolution, int out, int time) implements Layer {
    @Override
    public NDArray forward(NDManager to, NDArray x, Strip strip) {
      try (NDManager scope = to.newSubManager()) {
        NDArray y = convolution.forward(scope, x, strip); // (F, time·4·O, H, W)
        boolean first = VideoStrip.isFirst(strip);
        return CausalConvolution.CAUSAL.call( // (F·time, O, 2·H, 2·W)
            to, "raised", y, x, out, time, first);
      }
    }
  }
}
