package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import io.xfuser.transformer.BlockContext.LayerListener;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Turns latents into pixels. */
public interface VaeDecoder extends AutoCloseable {
  /**
   * Decodes.
   *
   * @param latents (B, c, h, w) as the denoising loop left them, still scaled; the frames of videos
   *     one after another
   * @param options slicing and tiling, and how many frames a video has
   * @return pixels (B, 3, H, W), about −1 to 1, in the decoder's element type
   */
  default NDArray decode(NDManager owner, NDArray latents, DecodeOptions options) {
    return decode(owner, latents, options, Strip.whole()).orElseThrow();
  }

  /**
   * Decodes together with the other strips, all of which are given the same latents and options.
   *
   * @param latents (B, c, h, w), as in {@link #decode(NDManager, NDArray, DecodeOptions)}
   * @param strip shares out rows, tiles or frames
   * @return all pixels (B, 3, H, W) on the first strip, nothing elsewhere
   * @throws IllegalArgumentException if there are more strips than rows of latents
   */
  Optional<NDArray> decode(NDManager owner, NDArray latents, DecodeOptions options, Strip strip);

  /**
   * The same, handing over pixels as they come, from the first on: for those who do not need all at
   * once.
   *
   * @param pixels on the first strip, given (b, 3, H, W), valid during the call
   */
  default void decode(
      NDManager owner,
      NDArray latents,
      DecodeOptions options,
      Strip strip,
      Consumer<NDArray> pixels) {
    try (NDManager scope = owner.newSubManager()) {
      decode(scope, latents, options, strip).ifPresent(pixels);
    }
  }

  /**
   * How many rows of a request's latents, counted from its first, are decoded together and depend
   * on one another: 1 where each picture or frame stands for itself.
   */
  default int chunk(DecodeOptions options) {
    return 1;
  }

  /** Bytes of the decoder's weights. */
  long parameterBytes();

  @Override
  void close();

  /**
   * What a decoder needs room for, as far as it is known before it is loaded.
   *
   * @param width channels of the widest hidden states at the picture's own size, of which a layer
   *     reads one tensor and writes another; 0 = unknown
   * @param tile rows and columns of pixels of a tile; 0 = unknown, as if there were none
   */
  record Footprint(int width, int tile) {
    /** Nothing known. */
    public static final Footprint UNKNOWN = new Footprint(0, 0);
  }

  /**
   * About which colours latents have, by a linear map: what a picture is guessed from that is not
   * decoded.
   *
   * @param factors red, green and blue, −1 to 1, of each channel in turn; empty = not known
   * @param bias red, green and blue of latents that are 0
   */
  record Colors(List<Double> factors, List<Double> bias) {
    /** Nothing known. */
    public static final Colors UNKNOWN = new Colors(List.of(), List.of());

    /** Copies. */
    public Colors {
      factors = List.copyOf(factors);
      bias = List.copyOf(bias);
    }

    /** Whether they are known. */
    public boolean known() {
      return !factors.isEmpty();
    }
  }

  /**
   * Ways to need less memory, as diffusers has them.
   *
   * @param slicing one picture at a time
   * @param tiling overlapping tiles, blended
   * @param frames of each video; 1 for pictures
   * @param chunk how many frames of videos are decoded together
   * @param unshifted whether the shift of latents is left out
   * @param listener is told of each layer of each slice or tile
   */
  record DecodeOptions(
      boolean slicing,
      boolean tiling,
      int frames,
      int chunk,
      boolean unshifted,
      LayerListener listener) {
    /** Of diffusers' pipelines, where nothing is said. */
    private static final int CHUNK = 14;

    /** With as many frames together as in diffusers. */
    public DecodeOptions(
        boolean slicing, boolean tiling, int frames, boolean unshifted, LayerListener listener) {
      this(slicing, tiling, frames, CHUNK, unshifted, listener);
    }

    /** Told to nobody. */
    public DecodeOptions(boolean slicing, boolean tiling, int frames) {
      this(slicing, tiling, frames, false, LayerListener.NONE);
    }

    /** For pictures. */
    public DecodeOptions(boolean slicing, boolean tiling) {
      this(slicing, tiling, 1);
    }
  }
}
