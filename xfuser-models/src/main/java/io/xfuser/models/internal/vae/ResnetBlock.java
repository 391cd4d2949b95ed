package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code x + conv2(silu(norm2(conv1(silu(norm1(x))))))}; where the width changes, a 1×1 convolution
 * of x takes the place of x. diffusers' ResnetBlock2D without a time embedding.
 */
final class ResnetBlock implements Layer {
  private final Layer body;
  private final @Nullable Layer shortcut;

  /** Reads {@code norm1}, {@code conv1}, {@code norm2}, {@code conv2}, {@code conv_shortcut}. */
  ResnetBlock(NDManager owner, Weights weights, Channels channels, Sight sight) {
    Norm norm = sight.norm();
    Channels kept = new Channels(channels.out(), channels.out());
    body =
        new Sequence(
            List.of(
                norm.read(owner, weights.at("norm1."), channels.in(), true),
                new Convolution(owner, weights.at("conv1."), channels, sight.kernel()),
                norm.read(owner, weights.at("norm2."), channels.out(), true),
                new Convolution(owner, weights.at("conv2."), kept, sight.kernel())));
    shortcut =
        channels.in() == channels.out()
            ? null
            : new Convolution(owner, weights.at("conv_shortcut."), channels, Kernel.POINT);
  }

  /**
   * The same of other layers, one after the other; reads {@code conv_shortcut} alone, which looks
   * at one position of one frame.
   */
  ResnetBlock(NDManager owner, Weights weights, Channels channels, List<Layer> body) {
    this(
        new Sequence(body),
        channels.in() == channels.out()
            ? null
            : new Convolution(owner, weights.at("conv_shortcut."), channels, Kernel.CAUSAL_POINT));
  }

  /** The same of other layers. */
  ResnetBlock(Layer body, @Nullable Layer shortcut) {
    this.body = body;
    this.shortcut = shortcut;
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray change = body.forward(scope, x, strip); // (B, O, H, W)
      NDArray residual = // (B, O, H, W)
          shortcut == null ? x : shortcut.forward(scope, x, strip);
      return VAE.call(owner, "add_", change, residual); // (B, O, H, W)
    }
  }

  /** How a block's normalisations and convolutions see its input. */
  record Sight(Norm norm, Kernel kernel) {}
}
