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
 * The decoder half of diffusers' AutoencoderKL (arXiv 2112.10752) or AutoencoderKLTemporalDecoder
 * (arXiv 2311.15127), in the run's element type. Immutable once opened: ranks of one process may
 * share it and decode at the same time.
 */
public final class AutoencoderKlDecoder implements VaeDecoder {
  /** How many frames are decoded together: {@code decode_chunk_size} of diffusers' pipelines. */
  static final int CHUNK = 14;

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
   * {@inheritDoc} For a temporal decoder each picture is a video of one frame.
   *
   * @throws IllegalArgumentException if latents are not (B, latent channels, h, w), or as {@link
   *     #check} says
   */
  @Override
  public NDArray decode(NDManager owner, NDArray latents, Options options) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray unscaled = enter(scope, latents, options); // (B, c, h, w)
      NDArray pixels =
          config.temporal() || options.slicing()
              ? decodeParts(scope, unscaled, 1, options.tiling())
              : decodeTogether(scope, unscaled, options.tiling());
      return Torch.contiguous(owner, pixels); // (B, 3, H, W)
    }
  }

  /**
   * Decodes a video, 14 frames at a time: a temporal decoder's frames depend on their neighbours of
   * the same 14. Several videos one after the other are decoded as if they were one, as by
   * diffusers' {@code LattePipeline.decode_latents}.
   *
   * @param latents (F, c, h, w): the frames in their order, still scaled
   * @param options slicing and tiling, of each 14 frames
   * @return pixels (F, 3, H, W), about −1 to 1, in the decoder's element type
   * @throws IllegalArgumentException if latents are not (F, latent channels, h, w), or as {@link
   *     #check} says
   */
  public NDArray decodeFrames(NDManager owner, NDArray latents, Options options) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray unscaled = enter(scope, latents, options); // (F, c, h, w)
      int together = options.slicing() ? 1 : CHUNK;
      NDArray pixels = decodeParts(scope, unscaled, together, options.tiling());
      return Torch.contiguous(owner, pixels); // (F, 3, H, W)
    }
  }

  /**
   * Refuses what this decoder cannot do, so that a pipeline may ask before it denoises.
   *
   * @throws IllegalArgumentException for slicing or tiling with a temporal decoder, which diffusers
   *     does not have either
   */
  public void check(Options options) {
    if (config.temporal() && (options.slicing() || options.tiling())) {
      throw new IllegalArgumentException(
          config.origin()
              + ": AutoencoderKLTemporalDecoder has neither slicing nor tiling, because it decodes"
              + " frames together");
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

  private NDArray enter(NDManager scope, NDArray latents, Options options) {
    check(options);
    Shape shape = latents.getShape();
    if (shape.dimension() != 4 || shape.get(1) != config.latentChannels()) {
      throw new IllegalArgumentException(
          "latents %s are not (batch, %d, rows, columns)"
              .formatted(shape, config.latentChannels()));
    }
    double scaling = config.scalingFactor();
    return VAE.call(scope, "enter", latents, type.scalarType(), scaling, config.shiftFactor());
  }

  /** Decodes {@code together} pictures or frames at a time; latents are (B, c, h, w). */
  private NDArray decodeParts(NDManager owner, NDArray latents, int together, boolean tiled) {
    long count = latents.getShape().get(0);
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (long from = 0; from < count; from += together) {
        long to = Math.min(count, from + together);
        NDArray part = Torch.slice(scope, latents, 0, from, to); // (≤ together, c, h, w)
        parts.add(decodeTogether(scope, part, tiled)); // (≤ together, 3, H, W)
      }
      return Torch.concat(owner, parts, 0); // (B, 3, H, W)
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
