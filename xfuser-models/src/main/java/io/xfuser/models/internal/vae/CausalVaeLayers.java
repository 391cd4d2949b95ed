package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the layers of an autoencoder of videos, all of them or those that a single frame passes.
 */
final class CausalVaeLayers {
  private final NDManager owner;
  private final Weights weights;
  private final CausalVaeConfig config;
  private List<Layer> layers = new ArrayList<>();

  /** Of {@code weights}, which {@code owner} will own. */
  CausalVaeLayers(NDManager owner, Weights weights, CausalVaeConfig config) {
    this.owner = owner;
    this.weights = weights;
    this.config = config;
  }

  /** From unscaled latents (F, c, h, w) to pixels (F', 3·p·p, H/p, W/p), p being the patch. */
  Sequence decoder() {
    int latents = config.latentChannels();
    int last = config.decoderWidths().size() - 1;
    int in = config.decoderWidths().get(last);
    point("post_quant_conv.", latents, latents);
    layers.add(square("decoder.conv_in.", latents, in));
    middle("decoder.mid_block.", in);
    for (int i = 0; i <= last; i++) {
      in = upwards(i, in, config.decoderWidths().get(last - i));
    }
    return finished("decoder", in, config.colours());
  }

  /** Reads level {@code i} from the latents; returns the channels that leave it. */
  private int upwards(int i, int in, int width) {
    String block = "decoder.up_blocks." + i + ".";
    int last = config.decoderWidths().size() - 1;
    boolean shortcut = config.residual() && i < last;
    List<Layer> before = shortcut ? begin() : layers;
    for (int resnet = 0; resnet <= config.residuals(); resnet++) {
      resnet(block + "resnets." + resnet + ".", resnet == 0 ? in : width, width);
    }
    if (i == last) {
      return width;
    }
    String name = block + (config.residual() ? "upsampler." : "upsamplers.0.");
    boolean overTime = config.halvesTime().get(last - 1 - i);
    if (overTime && config.videos()) {
      layers.add(TimeScaling.doubling(owner, weights.at(name + "time_conv."), width));
    }
    layers.add(new Upsample());
    int out = config.residual() ? width : width / 2;
    layers.add(
        new Convolution(
            owner, weights.at(name + "resample.1."), new Channels(width, out), Kernel.SQUARE));
    if (shortcut) {
      Sequence body = ended(before);
      layers.add(new ShortcutLevel(body, "spread", out, overTime ? 2 : 1, 2));
    }
    return out;
  }

  /** From pixels (F, 3, H, W) to means and logarithms of variances (F', 2c, h, w). */
  Sequence encoder() {
    int in = config.base();
    if (config.patch() > 1) {
      layers.add((to, x, strip) -> CausalConvolution.CAUSAL.call(to, "patched", x, config.patch()));
    }
    layers.add(square("encoder.conv_in.", config.colours(), in));
    int next = 0; // blocks and halvings are numbered together, but for those with shortcuts
    for (int i = 0; i < config.widths().size(); i++) {
      int width = config.widths().get(i);
      if (config.residual()) {
        shortcutDownwards(i, in, width);
      } else {
        next = downwards(i, in, next);
      }
      in = width;
    }
    middle("encoder.mid_block.", in);
    int out = 2 * config.latentChannels();
    finished("encoder", in, out);
    point("quant_conv.", out, out);
    return new Sequence(layers);
  }

  private int downwards(int i, int in, int next) {
    int width = config.widths().get(i);
    int number = next;
    for (int resnet = 0; resnet < config.residuals(); resnet++) {
      resnet("encoder.down_blocks." + number++ + ".", resnet == 0 ? in : width, width);
    }
    if (i < config.widths().size() - 1) {
      halving("encoder.down_blocks." + number++ + ".", width, config.halvesTime().get(i));
    }
    return number;
  }

  private void shortcutDownwards(int i, int in, int width) {
    String block = "encoder.down_blocks." + i + ".";
    List<Layer> before = begin();
    for (int resnet = 0; resnet < config.residuals(); resnet++) {
      resnet(block + "resnets." + resnet + ".", resnet == 0 ? in : width, width);
    }
    boolean halves = i < config.widths().size() - 1;
    boolean overTime = halves && config.halvesTime().get(i);
    if (halves) {
      halving(block + "downsampler.", width, overTime);
    }
    Sequence body = ended(before);
    layers.add(new ShortcutLevel(body, "averaged", width, overTime ? 2 : 1, halves ? 2 : 1));
  }

  private void halving(String name, int width, boolean overTime) {
    layers.add(Halving.below(owner, weights.at(name + "resample.1."), width));
    if (overTime && config.videos()) {
      layers.add(TimeScaling.halving(owner, weights.at(name + "time_conv."), width));
    }
  }

  /** What is read from now on is part of a level. */
  private List<Layer> begin() {
    List<Layer> before = layers;
    layers = new ArrayList<>();
    return before;
  }

  private Sequence ended(List<Layer> before) {
    Sequence level = new Sequence(layers);
    layers = before;
    return level;
  }

  private Sequence finished(String half, int in, int out) {
    layers.add(normed(half + ".norm_out.", half + ".conv_out.", in, out));
    return new Sequence(layers);
  }

  private void middle(String name, int width) {
    resnet(name + "resnets.0.", width, width);
    Weights attention = weights.at(name + "attentions.0.");
    layers.add(SelfAttention.ofConvolutions(owner, attention, width, PixelNorm.Kind.PICTURES));
    resnet(name + "resnets.1.", width, width);
  }

  private void resnet(String name, int in, int out) {
    Layer body =
        new Sequence(
            List.of(
                normed(name + "norm1.", name + "conv1.", in, out),
                normed(name + "norm2.", name + "conv2.", out, out)));
    @Nullable Layer shortcut = in == out ? null : pointLayer(name + "conv_shortcut.", in, out);
    layers.add(new ResnetBlock(body, shortcut));
  }

  private Layer normed(String norm, String name, int in, int out) {
    PixelNorm read = PixelNorm.Kind.VIDEOS.read(owner, weights.at(norm), in, true);
    Channels channels = new Channels(in, out);
    return CausalConvolution.square(owner, read, weights.at(name), channels, config.videos());
  }

  private Layer square(String name, int in, int out) {
    Channels channels = new Channels(in, out);
    return CausalConvolution.square(owner, weights.at(name), channels, config.videos());
  }

  private void point(String name, int in, int out) {
    layers.add(pointLayer(name, in, out));
  }

  private Layer pointLayer(String name, int in, int out) {
    return new Convolution(owner, weights.at(name), new Channels(in, out), Kernel.CAUSAL_POINT);
  }
}
