package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.vae.GroupNorm.Groups;
import io.xfuser.models.internal.vae.ResnetBlock.Sight;
import io.xfuser.models.internal.weights.Weights;
import java.util.ArrayList;
import java.util.List;

/** Reads, one after the other, the layers that AutoencoderKL's encoder and decoder have alike. */
final class LayerReader {
  private static final double EPSILON = 1e-6;

  private final NDManager owner;
  private final AutoencoderKlConfig config;
  private final Weights weights;
  private final Groups groups;
  private final List<Layer> layers = new ArrayList<>();

  /** Of {@code weights}, which {@code owner} will own. */
  LayerReader(NDManager owner, AutoencoderKlConfig config, Weights weights) {
    this.owner = owner;
    this.config = config;
    this.weights = weights;
    groups = new Groups(config.normGroups(), EPSILON);
  }

  Sequence sequence() {
    return new Sequence(layers);
  }

  /** Adds one that reads no more than this. */
  void add(Layer layer) {
    layers.add(layer);
  }

  void convolution(String name, int in, int out, Kernel kernel) {
    layers.add(new Convolution(owner, weights.at(name), new Channels(in, out), kernel));
  }

  void halving(String name, int width) {
    layers.add(Halving.below(owner, weights.at(name), width));
  }

  void resnet(String name, int in, int out) {
    Channels channels = new Channels(in, out);
    Weights block = weights.at(name);
    layers.add(
        config.temporal()
            ? new SpatioTemporalBlock(owner, block, channels, groups)
            : new ResnetBlock(owner, block, channels, new Sight(groups, Kernel.SQUARE)));
  }

  /** Two residual blocks of the deepest level with attention between them. */
  void middle(String name) {
    int width = deepest();
    resnet(name + "resnets.0.", width, width);
    if (config.midAttention()) {
      layers.add(new SelfAttention(owner, weights.at(name + "attentions.0."), width, groups));
    }
    resnet(name + "resnets.1.", width, width);
  }

  void normAndSilu(String name, int width) {
    layers.add(groups.read(owner, weights.at(name), width, true));
  }

  /** A convolution over the frames of a video. */
  void overFrames(String name, int width) {
    Channels channels = new Channels(width, width);
    layers.add(new OverFrames(new Convolution(owner, weights.at(name), channels, Kernel.FRAMES)));
  }

  int deepest() {
    return config.widths().get(config.widths().size() - 1);
  }
}
