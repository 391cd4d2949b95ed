package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads the layers of AutoencoderDC in the order in which they run. */
final class DeepVaeLayers {
  private final NDManager owner;
  private final Weights weights;
  private final DeepVaeConfig config;
  private final List<Layer> layers = new ArrayList<>();

  /** Of one half's {@code weights}, which {@code owner} will own. */
  DeepVaeLayers(NDManager owner, Weights weights, DeepVaeConfig config) {
    this.owner = owner;
    this.weights = weights;
    this.config = config;
  }

  /** From unscaled latents (B, c, h, w) to pixels (B, 3, H, W). */
  Sequence decoder() {
    List<DeepLevel> levels = config.decoder();
    int last = levels.size() - 1;
    int deepest = levels.get(last).width();
    Layer first = convolution("conv_in.", config.latentChannels(), deepest);
    int repeats = deepest / config.latentChannels();
    layers.add(config.decoderShortcut() ? plus(first, "repeated", repeats) : first);
    for (int i = last; i >= 0; i--) {
      DeepLevel level = levels.get(i);
      String name = "up_blocks." + i + ".";
      int before = 0;
      if (i < last && level.layers() > 0) {
        Channels channels = new Channels(levels.get(i + 1).width(), level.width());
        layers.add(doubling(name + "0.conv.", channels, true));
        before = 1;
      }
      for (int block = 0; block < level.layers(); block++) {
        add(name + (before + block) + ".", level);
      }
    }
    boolean whole = levels.get(0).layers() > 0;
    int width = levels.get(whole ? 0 : 1).width();
    Map<String, NDArray> norm = norm("norm_out.", width, false);
    layers.add(
        (to, x, strip) ->
            DeepLayers.DEEP.call(to, "normed_activated", x, norm, config.lastActivation()));
    layers.add(
        whole
            ? convolution("conv_out.", width, EncoderConfig.COLOURS)
            : doubling("conv_out.conv.", new Channels(width, EncoderConfig.COLOURS), false));
    return new Sequence(layers);
  }

  /** From pixels (B, 3, H, W) to latents (B, c, h, w). */
  Sequence encoder() {
    List<DeepLevel> levels = config.encoder();
    int last = levels.size() - 1;
    boolean whole = levels.get(0).layers() > 0;
    int width = levels.get(whole ? 0 : 1).width();
    layers.add(
        whole
            ? convolution("conv_in.", EncoderConfig.COLOURS, width)
            : halving("conv_in.conv.", new Channels(EncoderConfig.COLOURS, width), false));
    for (int i = 0; i <= last; i++) {
      DeepLevel level = levels.get(i);
      String name = "down_blocks." + i + ".";
      for (int block = 0; block < level.layers(); block++) {
        add(name + block + ".", level);
      }
      if (i < last && level.layers() > 0) {
        Channels channels = new Channels(level.width(), levels.get(i + 1).width());
        layers.add(halving(name + level.layers() + ".conv.", channels, true));
      }
    }
    int deepest = levels.get(last).width();
    Layer out = convolution("conv_out.", deepest, config.latentChannels());
    int group = deepest / config.latentChannels();
    layers.add(config.encoderShortcut() ? plus(out, "averaged", group) : out);
    return new Sequence(layers);
  }

  private Layer convolution(String name, int in, int out) {
    return new Convolution(owner, weights.at(name), new Channels(in, out), Kernel.SQUARE);
  }

  /** {@code layer}, and beside it what {@code function} makes of the same input. */
  private static Layer plus(Layer layer, String function, int count) {
    return (to, x, strip) -> {
      try (NDManager scope = to.newSubManager()) {
        NDArray y = layer.forward(scope, x, strip);
        return Layer.VAE.call(to, "add_", y, DeepLayers.DEEP.call(scope, function, x, count));
      }
    };
  }

  private Layer doubling(String name, Channels channels, boolean shortcut) {
    int in = channels.in();
    int out = channels.out();
    boolean interpolates = config.interpolates();
    Layer body = convolution(name, in, interpolates ? out : 4 * out);
    Layer grown =
        (to, x, strip) -> {
          try (NDManager scope = to.newSubManager()) {
            return interpolates
                ? body.forward(to, Layer.VAE.call(scope, "upsample", x), strip)
                : DeepLayers.DEEP.call(to, "shuffled", body.forward(scope, x, strip));
          }
        };
    return shortcut ? plus(grown, "shuffled_repeats", 4 * out / in) : grown;
  }

  private Layer halving(String name, Channels channels, boolean shortcut) {
    int in = channels.in();
    int out = channels.out();
    Layer shrunk;
    if (config.unshuffles()) {
      Layer body = convolution(name, in, out / 4);
      shrunk =
          (to, x, strip) -> {
            try (NDManager scope = to.newSubManager()) {
              return DeepLayers.DEEP.call(to, "unshuffled", body.forward(scope, x, strip));
            }
          };
    } else {
      shrunk = DeepLayers.halving(tensors(weights.at(name), "conv", out, in, 3, 3));
    }
    return shortcut ? plus(shrunk, "averaged_unshuffled", 4 * in / out) : shrunk;
  }

  private void add(String name, DeepLevel level) {
    int width = level.width();
    if (!level.attends()) {
      Channels kept = new Channels(width, width);
      Layer first = convolution(name + "conv1.", width, width);
      Layer second = Convolution.withoutBias(owner, weights.at(name + "conv2."), kept);
      Map<String, NDArray> norm = norm(name + "norm.", width, level.batchNormed());
      layers.add(DeepLayers.residual(first, second, norm, level.activation()));
      return;
    }
    layers.add(attention(weights.at(name + "attn."), name, level));
    Weights glu = weights.at(name + "conv_out.");
    long inner = DeepLevel.WIDENED / 2L * width; // values and gates
    Map<String, NDArray> all = norm(name + "conv_out.norm.", width, false);
    all.putAll(tensors(glu.at("conv_inverted."), "conv_inverted", 2 * inner, width, 1, 1));
    all.putAll(tensors(glu.at("conv_depth."), "conv_depth", 2 * inner, 1, 3, 3));
    all.put("conv_point.weight", glu.get(owner, "conv_point.weight", width, inner, 1, 1));
    layers.add(DeepLayers.gated(all));
  }

  private Layer attention(Weights attn, String name, DeepLevel level) {
    int width = level.width();
    int head = config.headSize();
    int inner = width / head * head;
    Map<String, NDArray> all = norm(name + "attn.norm_out.", width, level.batchNormed());
    for (String part : List.of("to_q", "to_k", "to_v")) {
      all.put(part + ".weight", attn.get(owner, part + ".weight", inner, width));
    }
    int scales = level.scales().size();
    all.put("to_out.weight", attn.get(owner, "to_out.weight", width, (1L + scales) * inner));
    for (int i = 0; i < scales; i++) {
      int side = level.scales().get(i);
      Weights scale = attn.at("to_qkv_multiscale." + i + ".");
      all.put("in." + i + ".weight", scale.get(owner, "proj_in.weight", 3L * inner, 1, side, side));
      all.put("out." + i + ".weight", scale.get(owner, "proj_out.weight", 3L * inner, head, 1, 1));
    }
    return DeepLayers.attention(all, level.scales(), head);
  }

  /** Weight and bias of a convolution under another name. */
  private Map<String, NDArray> tensors(Weights of, String name, long... shape) {
    return Map.of(
        name + ".weight", of.get(owner, "weight", shape),
        name + ".bias", of.get(owner, "bias", shape[0]));
  }

  private Map<String, NDArray> norm(String name, int width, boolean batch) {
    Weights of = weights.at(name);
    Map<String, NDArray> all = new HashMap<>(tensors(of, "norm", width));
    if (batch) {
      all.put("norm.mean", of.get(owner, "running_mean", width));
      all.put("norm.variance", of.get(owner, "running_var", width));
    }
    return all;
  }
}
