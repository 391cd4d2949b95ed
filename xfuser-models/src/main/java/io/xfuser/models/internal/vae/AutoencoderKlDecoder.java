package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.CountedWeights;
import io.xfuser.nn.Range;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The decoder half of diffusers' AutoencoderKL (arXiv 2112.10752), AutoencoderKLTemporalDecoder
 * (arXiv 2311.15127) or AutoencoderTiny (TAESD), in the run's element type. Immutable once opened:
 * ranks of one process may share it and decode at the same time.
 */
public final class AutoencoderKlDecoder implements VaeDecoder {
  private final LayeredVae config;
  private final LoadOptions loading;
  private final NDManager weights = Torch.newManager();
  private final Sequence layers;
  private final long parameterBytes;

  private AutoencoderKlDecoder(LayeredVae config, ComponentWeights source) {
    this.config = config;
    this.loading = source.loading();
    CountedWeights counted = new CountedWeights(source.handedOut());
    try {
      layers = config.decoderLayers(weights, counted);
      source.reportUnknown(name -> counted.read(name) || config.beside(name));
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
    Vae vae = Vaes.read(ComponentConfig.read(directory.resolve("config.json")));
    try (ComponentWeights source =
        ComponentWeights.open(directory, "diffusion_pytorch_model", loading)) {
      return (AutoencoderKlDecoder) vae.decoder(source);
    }
  }

  /** The same with settings that were read before, of weights that may be closed afterwards. */
  static AutoencoderKlDecoder open(LayeredVae config, ComponentWeights source) {
    return new AutoencoderKlDecoder(config, source);
  }

  /**
   * Makes sure that the decoder can be opened, without reading weights.
   *
   * @throws IllegalArgumentException as when it is opened
   */
  static void check(LayeredVae config, ComponentWeights source) {
    try (NDManager owner = Torch.newManager()) {
      config.decoderLayers(owner, source.promised());
    }
  }

  /** The settings: channels and scale among them. */
  public Vae config() {
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
      return splitting(together, options, strip)
          .run(scope, layers, unscaled)
          .map(made -> config.finished(owner, made)); // (B, 3, H, W)
    }
  }

  /** What the settings say of its layers. */
  LayeredVae layered() {
    return config;
  }

  Sequence layers() {
    return layers;
  }

  /** Whether frames depend on their neighbours. */
  boolean temporal() {
    return config.temporal();
  }

  /** Decodes a video alone; see {@link #decodeFrames(NDManager, NDArray, DecodeOptions, Strip)}. */
  public NDArray decodeFrames(NDManager owner, NDArray latents, DecodeOptions options) {
    return decodeFrames(owner, latents, options, Strip.whole()).orElseThrow();
  }

  /**
   * Decodes a video, some frames at a time: a temporal decoder's frames depend on their neighbours
   * of the same chunk. Several videos one after the other are decoded as if they were one, as by
   * diffusers' {@code LattePipeline.decode_latents}.
   *
   * @param latents (F, c, h, w): the frames in their order, still scaled
   * @param options slicing and tiling, of each chunk of frames
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
      int together = options.slicing() ? 1 : options.chunk();
      Splitting parts = splitting(together, options, strip);
      int frames = Math.toIntExact(latents.getShape().get(0));
      if (strip.isWhole() || config.temporal() || frames < strip.count()) {
        return parts.run(owner, layers, unscaled); // (F, 3, H, W)
      }
      Range own = strip.of(frames);
      NDArray mine = Torch.slice(scope, unscaled, 0, own.from(), own.to()); // (f, c, h, w)
      NDArray pixels = parts.alone().run(scope, layers, mine).orElseThrow(); // (f, 3, H, W)
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
  static void check(LayeredVae config, DecodeOptions options) {
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

  private Splitting splitting(int together, DecodeOptions options, Strip strip) {
    return new Splitting(
        config.tiling(),
        together,
        options.tiling(),
        new Splitting.Share(strip, 1),
        options.listener());
  }

  /** What the layers take of latents (B, c, h, w). */
  NDArray enter(NDManager scope, NDArray latents, DecodeOptions options) {
    check(options);
    Shape shape = latents.getShape();
    if (shape.dimension() != 4 || shape.get(1) != config.latentChannels()) {
      throw new IllegalArgumentException(
          "latents %s are not (batch, %d, rows, columns)"
              .formatted(shape, config.latentChannels()));
    }
    NDArray here = Torch.to(scope, latents, loading.placement().device());
    return config.unscaled(scope, here, loading.type().scalarType(), !options.unshifted());
  }
}
