package io.xfuser.models.vae;

import static io.xfuser.models.vae.Layer.VAE;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.pipeline.VaeDecoder;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.CountedWeights;
import io.xfuser.weights.SafeTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The decoder half of diffusers' AutoencoderKL (arXiv 2112.10752), in the run's element type.
 * Immutable once opened: ranks of one process may share it and decode at the same time.
 */
public final class AutoencoderKlDecoder implements VaeDecoder {
  private final AutoencoderKlConfig config;
  private final ElementType type;
  private final NDManager weights = Torch.newManager();
  private final Sequence layers;
  private final long parameterBytes;

  private AutoencoderKlDecoder(AutoencoderKlConfig config, ElementType type, SafeTensors file) {
    this.config = config;
    this.type = type;
    CountedWeights counted = new CountedWeights(file);
    try {
      layers = DecoderLayers.read(weights, config, counted);
      file.rejectUnknown(name -> counted.read(name) || belongsToTheEncoder(name));
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
    parameterBytes = counted.bytes();
  }

  /**
   * Opens a component directory of diffusers; the encoder's weights are not read.
   *
   * @param directory has {@code config.json} and {@code diffusion_pytorch_model.safetensors}
   * @param variant of the file, {@code fp16} for example
   * @throws IllegalArgumentException if the settings are not supported, or the weights are missing,
   *     unknown or of another shape; the message names the file
   */
  public static AutoencoderKlDecoder open(
      Path directory, ElementType type, @Nullable String variant) {
    AutoencoderKlConfig config =
        AutoencoderKlConfig.from(ComponentConfig.read(directory.resolve("config.json")));
    try (SafeTensors file = SafeTensors.open(directory, "diffusion_pytorch_model", type, variant)) {
      return new AutoencoderKlDecoder(config, type, file);
    }
  }

  /** The settings: channels and scale among them. */
  public AutoencoderKlConfig config() {
    return config;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if latents are not (B, latent channels, h, w)
   */
  @Override
  public NDArray decode(NDManager owner, NDArray latents, Options options) {
    Shape shape = latents.getShape();
    if (shape.dimension() != 4 || shape.get(1) != config.latentChannels()) {
      throw new IllegalArgumentException(
          "latents %s are not (batch, %d, rows, columns)"
              .formatted(shape, config.latentChannels()));
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray unscaled = // (B, c, h, w)
          VAE.call(
              scope,
              "enter",
              latents,
              type.scalarType(),
              config.scalingFactor(),
              config.shiftFactor());
      NDArray pixels =
          options.slicing() && shape.get(0) > 1
              ? decodeOneByOne(scope, unscaled, options.tiling())
              : decodeTogether(scope, unscaled, options.tiling());
      return Torch.contiguous(owner, pixels); // (B, 3, H, W)
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

  private NDArray decodeOneByOne(NDManager owner, NDArray latents, boolean tiled) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> pictures = new ArrayList<>();
      for (long i = 0; i < latents.getShape().get(0); i++) {
        NDArray picture = Torch.slice(scope, latents, 0, i, i + 1); // (1, c, h, w)
        pictures.add(decodeTogether(scope, picture, tiled)); // (1, 3, H, W)
      }
      return Torch.concat(owner, pictures, 0); // (B, 3, H, W)
    }
  }

  private NDArray decodeTogether(NDManager owner, NDArray latents, boolean tiled) {
    Tiling tiling = Tiling.of(config);
    return tiled && tiling.divides(latents)
        ? tiling.decode(owner, layers, latents)
        : layers.forward(owner, latents); // (B, 3, H, W)
  }

  private static boolean belongsToTheEncoder(String name) {
    return name.startsWith("encoder.") || name.startsWith("quant_conv.");
  }
}
