package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the layers of diffusers' DecoderTiny and EncoderTiny (TAESD) in the order in which they
 * run. All of them see one pixel or its eight neighbours, so that strips are exact.
 */
final class TinyLayers {
  private TinyLayers() {}

  /**
   * Reads all layers.
   *
   * @param owner owns the weights
   */
  static Sequence read(NDManager owner, AutoencoderKlConfig config, Weights weights) {
    int width = config.widths().get(0);
    Weights numbered = weights.at("decoder.layers.");
    List<Layer> layers = new ArrayList<>();
    layers.add(new Pointwise("soften"));
    int next = 0; // diffusers counts activations and upsamplings too
    Channels entry = new Channels(config.latentChannels(), width);
    layers.add(new Convolution(owner, numbered.at(next + "."), entry, Kernel.SQUARE));
    layers.add(new Pointwise("rectify_"));
    next += 2;
    List<Integer> stages = config.tinyBlocks();
    for (int stage = 0; stage < stages.size(); stage++) {
      for (int block = 0; block < stages.get(stage); block++) {
        layers.add(new ResidualBlock(owner, numbered.at(next++ + "."), width));
      }
      boolean last = stage == stages.size() - 1;
      if (last) {
        Channels exit = new Channels(width, config.outChannels());
        layers.add(new Convolution(owner, numbered.at(next + "."), exit, Kernel.SQUARE));
      } else {
        layers.add(new Upsample());
        Channels kept = new Channels(width, width);
        layers.add(Convolution.withoutBias(owner, numbered.at(next + 1 + "."), kept));
        next += 2;
      }
    }
    layers.add(new Pointwise("around_zero"));
    return new Sequence(layers);
  }

  /**
   * Reads all layers of diffusers' EncoderTiny, from pixels (B, 3, H, W) to latents (B, c, h, w).
   *
   * @param owner owns the weights
   */
  static Sequence readEncoder(
      NDManager owner, AutoencoderKlConfig config, EncoderConfig encoder, Weights weights) {
    int width = encoder.tinyWidth();
    Weights numbered = weights.at("encoder.layers.");
    List<Layer> layers = new ArrayList<>();
    layers.add((scope, x, strip) -> Layer.ENCODER.call(scope, "around_half", x));
    Channels entry = new Channels(EncoderConfig.COLOURS, width);
    layers.add(new Convolution(owner, numbered.at("0."), entry, Kernel.SQUARE));
    int next = 1;
    for (int stage = 0; stage < encoder.tinyBlocks().size(); stage++) {
      if (stage > 0) {
        layers.add(Halving.around(owner, numbered.at(next++ + "."), width));
      }
      for (int block = 0; block < encoder.tinyBlocks().get(stage); block++) {
        layers.add(new ResidualBlock(owner, numbered.at(next++ + "."), width));
      }
    }
    Channels exit = new Channels(width, config.latentChannels());
    layers.add(new Convolution(owner, numbered.at(next + "."), exit, Kernel.SQUARE));
    return new Sequence(layers);
  }

  /** A function of vae.py of every value alone. */
  private record Pointwise(String name) implements Layer {
    @Override
    public NDArray forward(NDManager owner, NDArray x, Strip strip) {
      return VAE.call(owner, name, x);
    }
  }

  /** {@code relu(x + conv(relu(conv(relu(conv(x))))))}. */
  private static final class ResidualBlock implements Layer {
    private final Layer body;

    ResidualBlock(NDManager owner, Weights weights, int width) {
      Channels kept = new Channels(width, width);
      body =
          new Sequence(
              List.of(
                  new Convolution(owner, weights.at("conv.0."), kept, Kernel.SQUARE),
                  new Pointwise("rectify_"),
                  new Convolution(owner, weights.at("conv.2."), kept, Kernel.SQUARE),
                  new Pointwise("rectify_"),
                  new Convolution(owner, weights.at("conv.4."), kept, Kernel.SQUARE)));
    }

    @Override
    public NDArray forward(NDManager owner, NDArray x, Strip strip) {
      try (NDManager scope = owner.newSubManager()) {
        NDArray change = body.forward(scope, x, strip); // (B, C, H, W)
        return VAE.call(owner, "add_rectified_", change, x);
      }
    }
  }
}
