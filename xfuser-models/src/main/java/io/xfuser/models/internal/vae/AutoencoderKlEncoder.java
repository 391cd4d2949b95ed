package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.CountedWeights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The encoder half of diffusers' AutoencoderKL (arXiv 2112.10752) or AutoencoderTiny (TAESD), in
 * the run's element type. Immutable once opened: ranks of one process may share it and encode at
 * the same time.
 */
public final class AutoencoderKlEncoder implements VaeEncoder {
  private final LayeredVae config;
  private final LoadOptions loading;
  private final NDManager weights = Torch.newManager();
  private final Sequence layers;
  private final long parameterBytes;

  private AutoencoderKlEncoder(
      LayeredVae config, ComponentConfig settings, ComponentWeights source) {
    this.config = config;
    this.loading = source.loading();
    CountedWeights counted = new CountedWeights(source.handedOut());
    try {
      layers = config.encoderLayers(weights, settings, counted);
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
    parameterBytes = counted.bytes();
  }

  /**
   * Opens the encoder alone, of weights that may be closed afterwards.
   *
   * @throws IllegalArgumentException if weights are missing or of another shape; the message names
   *     the file
   */
  static AutoencoderKlEncoder open(
      LayeredVae config, ComponentConfig settings, ComponentWeights source) {
    return new AutoencoderKlEncoder(config, settings, source);
  }

  /**
   * Makes sure that the encoder can be opened, without reading weights.
   *
   * @throws IllegalArgumentException as when it is opened
   */
  static void check(LayeredVae config, ComponentConfig settings, ComponentWeights source) {
    try (NDManager owner = Torch.newManager()) {
      config.encoderLayers(owner, settings, source.promised());
    }
  }

  /**
   * {@inheritDoc}
   *
   * @return on the first strip means and logarithms of variances (B, 2c, h, w), of an
   *     AutoencoderTiny latents (B, c, h, w); nothing elsewhere
   * @throws IllegalArgumentException if pixels are not (B, 3, H, W)
   */
  @Override
  public Optional<NDArray> encode(
      NDManager owner, NDArray pixels, DecodeOptions options, Strip strip) {
    Shape shape = pixels.getShape();
    if (shape.dimension() != 4 || shape.get(1) != EncoderConfig.COLOURS) {
      throw new IllegalArgumentException(
          "pixels %s are not (batch, 3, rows, columns)".formatted(shape));
    }
    Splitting splitting =
        new Splitting(
            config.encoderTiling(),
            options.slicing() ? 1 : Math.toIntExact(shape.get(0)),
            options.tiling(),
            new Splitting.Share(strip, config.scale()),
            options.listener());
    try (NDManager scope = owner.newSubManager()) {
      return splitting.run(owner, layers, enter(scope, pixels));
    }
  }

  /** What the layers take of pixels (B, 3, H, W). */
  NDArray enter(NDManager owner, NDArray pixels) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray here = Torch.to(scope, pixels, loading.placement().device());
      return Layer.ENCODER.call(owner, "enter_pixels", here, loading.type().scalarType());
    }
  }

  /** What the settings say of its layers. */
  LayeredVae layered() {
    return config;
  }

  Sequence layers() {
    return layers;
  }

  @Override
  public NDArray latents(NDManager owner, NDArray encoded, @Nullable NDArray noise) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> drawn = // on the device of the others
          noise == null ? List.of() : List.of(Torch.to(scope, noise, encoded.getDevice()));
      return config.scaled(owner, encoded, drawn);
    }
  }

  @Override
  public long parameterBytes() {
    return parameterBytes;
  }

  @Override
  public void close() {
    weights.close();
  }
}
