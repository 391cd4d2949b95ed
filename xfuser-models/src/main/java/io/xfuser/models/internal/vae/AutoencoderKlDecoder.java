package io.xfuser.models.internal.vae;

import static io.xfuser.models.internal.vae.Layer.VAE;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.CountedWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Passed;
import io.xfuser.nn.Range;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The decoder half of diffusers' AutoencoderKL (arXiv 2112.10752), AutoencoderKLTemporalDecoder
 * (arXiv 2311.15127) or AutoencoderTiny (TAESD), in the run's element type. Immutable once opened:
 * ranks of one process may share it and decode at the same time.
 */
public final class AutoencoderKlDecoder implements VaeDecoder {
  /** How many frames are decoded together: {@code decode_chunk_size} of diffusers' pipelines. */
  static final int CHUNK = 14;

  private final AutoencoderKlConfig config;
  private final LoadOptions loading;
  private final NDManager weights = Torch.newManager();
  private final Sequence layers;
  private final long parameterBytes;

  private AutoencoderKlDecoder(AutoencoderKlConfig config, ComponentWeights source) {
    this.config = config;
    this.loading = source.loading();
    CountedWeights counted = new CountedWeights(source.handedOut());
    try {
      layers = layers(weights, config, counted);
      source.reportUnknown(name -> counted.read(name) || belongsToTheEncoder(name));
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
   * @throws IllegalArgumentException if the settings are not supported, or the weights are missing,
   *     unknown or of another shape; the message names the file
   */
  public static AutoencoderKlDecoder open(Path directory, LoadOptions loading) {
    AutoencoderKlConfig config =
        AutoencoderKlConfig.from(ComponentConfig.read(directory.resolve("config.json")));
    try (ComponentWeights source =
        ComponentWeights.open(directory, "diffusion_pytorch_model", loading)) {
      return open(config, source);
    }
  }

  /** The same with settings that were read before, of weights that may be closed afterwards. */
  public static AutoencoderKlDecoder open(AutoencoderKlConfig config, ComponentWeights source) {
    return new AutoencoderKlDecoder(config, source);
  }

  /**
   * Makes sure that the decoder can be opened, without reading weights.
   *
   * @throws IllegalArgumentException as when it is opened
   */
  public static void check(AutoencoderKlConfig config, ComponentWeights source) {
    try (NDManager owner = Torch.newManager()) {
      layers(owner, config, source.promised());
    }
  }

  private static Sequence layers(NDManager owner, AutoencoderKlConfig config, Weights weights) {
    return config.tiny()
        ? TinyLayers.read(owner, config, weights)
        : DecoderLayers.read(owner, config, weights);
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
  public Optional<NDArray> decode(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray unscaled = enter(scope, latents, options); // (B, c, h, w)
      int all = Math.toIntExact(latents.getShape().get(0));
      int together = config.temporal() || options.slicing() ? 1 : all;
      return decodeParts(
          owner, unscaled, new Splitting(together, options.tiling(), strip, options.passed()));
    }
  }

  /** Decodes a video alone; see {@link #decodeFrames(NDManager, NDArray, DecodeOptions, Strip)}. */
  public NDArray decodeFrames(NDManager owner, NDArray latents, DecodeOptions options) {
    return decodeFrames(owner, latents, options, Strip.whole()).orElseThrow();
  }

  /**
   * Decodes a video, 14 frames at a time: a temporal decoder's frames depend on their neighbours of
   * the same 14. Several videos one after the other are decoded as if they were one, as by
   * diffusers' {@code LattePipeline.decode_latents}.
   *
   * @param latents (F, c, h, w): the frames in their order, still scaled
   * @param options slicing and tiling, of each 14 frames
   * @param strip has frames of its own, without a word to the others, if the decoder is not
   *     temporal and there are as many frames as strips; else rows or tiles
   * @return on the first strip, pixels (F, 3, H, W), about −1 to 1, in the decoder's element type;
   *     nothing elsewhere
   * @throws IllegalArgumentException if latents are not (F, latent channels, h, w), or as {@link
   *     #check} says
   */
  public Optional<NDArray> decodeFrames(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray unscaled = enter(scope, latents, options); // (F, c, h, w)
      int together = options.slicing() ? 1 : CHUNK;
      Splitting parts = new Splitting(together, options.tiling(), strip, options.passed());
      int frames = Math.toIntExact(latents.getShape().get(0));
      if (strip.isWhole() || config.temporal() || frames < strip.count()) {
        return decodeParts(owner, unscaled, parts); // (F, 3, H, W)
      }
      Range own = strip.of(frames);
      NDArray mine = Torch.slice(scope, unscaled, 0, own.from(), own.to()); // (f, c, h, w)
      NDArray pixels = decodeParts(scope, mine, parts.alone()).orElseThrow(); // (f, 3, H, W)
      return strip.assemble(owner, pixels, 0); // (F, 3, H, W)
    }
  }

  /**
   * Refuses what this decoder cannot do, so that a pipeline may ask before it denoises.
   *
   * @throws IllegalArgumentException for slicing or tiling with a temporal decoder, which diffusers
   *     does not have either
   */
  public void check(DecodeOptions options) {
    check(config, options);
  }

  /** The same before the decoder is opened. */
  public static void check(AutoencoderKlConfig config, DecodeOptions options) {
    if (config.temporal() && (options.slicing() || options.tiling())) {
      throw new ArgumentException(
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

  private NDArray enter(NDManager scope, NDArray latents, DecodeOptions options) {
    check(options);
    Shape shape = latents.getShape();
    if (shape.dimension() != 4 || shape.get(1) != config.latentChannels()) {
      throw new IllegalArgumentException(
          "latents %s are not (batch, %d, rows, columns)"
              .formatted(shape, config.latentChannels()));
    }
    double scaling = config.scalingFactor();
    NDArray here = Torch.to(scope, latents, loading.placement().device());
    int type = loading.type().scalarType();
    return VAE.call(scope, "enter", here, type, scaling, config.shiftFactor());
  }

  /**
   * How pictures or frames are decoded.
   *
   * @param together so many at a time
   * @param tiled by tiles
   * @param strip what is decoded of them here
   * @param passed is told of each layer
   */
  private record Splitting(int together, boolean tiled, Strip strip, Passed passed) {
    Splitting alone() {
      return new Splitting(together, tiled, Strip.whole(), passed);
    }
  }

  private Optional<NDArray> decodeParts(NDManager owner, NDArray latents, Splitting how) {
    long count = latents.getShape().get(0);
    Sequence watched = watched(latents, how);
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (long from = 0; from < count; from += how.together()) {
        long to = Math.min(count, from + how.together());
        NDArray part = Torch.slice(scope, latents, 0, from, to); // (≤ together, c, h, w)
        decodeTogether(scope, watched, part, how).ifPresent(parts::add); // (≤ together, 3, H, W)
      }
      return join(scope, parts).map(pixels -> Torch.contiguous(owner, pixels)); // (B, 3, H, W)
    }
  }

  private static Optional<NDArray> join(NDManager owner, List<NDArray> parts) {
    return parts.size() < 2 // one is not copied
        ? parts.stream().findFirst()
        : Optional.of(Torch.concat(owner, parts, 0));
  }

  /** The layers, which tell of themselves: of those that all slices and tiles pass together. */
  private Sequence watched(NDArray latents, Splitting how) {
    Tiling tiling = Tiling.of(config);
    long count = latents.getShape().get(0);
    long slices = (count + how.together() - 1) / how.together();
    boolean tiled = how.tiled() && tiling.stride() > 0 && tiling.divides(latents);
    int size = layers.layers().size();
    int total = Math.toIntExact(slices * size * (tiled ? tiling.tiles(latents, how.strip()) : 1));
    AtomicInteger done = new AtomicInteger();
    how.passed().layers(0, total);
    return layers.watched(() -> how.passed().layers(done.incrementAndGet(), total));
  }

  private Optional<NDArray> decodeTogether(
      NDManager owner, Sequence watched, NDArray latents, Splitting how) {
    Strip strip = how.strip();
    Tiling tiling = Tiling.of(config);
    if (how.tiled() && tiling.divides(latents)) {
      return tiling.decode(owner, watched, latents, strip);
    }
    if (strip.isWhole()) {
      return Optional.of(watched.forward(owner, latents, strip)); // (B, 3, H, W)
    }
    int height = Math.toIntExact(latents.getShape().get(2));
    if (strip.count() > height) {
      throw new ArgumentException(
          strip.count() + " strips are too many for " + height + " rows of latents");
    }
    Range rows = strip.of(height);
    try (NDManager scope = owner.newSubManager()) {
      NDArray own = Torch.slice(scope, latents, 2, rows.from(), rows.to()); // (B, c, h', w)
      NDArray pixels = watched.forward(scope, own, strip); // (B, 3, H', W)
      return strip.assemble(owner, pixels, 2); // (B, 3, H, W)
    }
  }

  private static boolean belongsToTheEncoder(String name) {
    return name.startsWith("encoder.") || name.startsWith("quant_conv.");
  }
}
