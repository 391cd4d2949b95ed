package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Turns pixels into latents: the half of an autoencoder that only pictures as input need. */
public interface VaeEncoder extends AutoCloseable {
  /**
   * Encodes together with the other strips, all of which are given the same pixels and options.
   *
   * @param pixels (B, 3, H, W), −1 to 1
   * @param options slicing and tiling
   * @param strip shares out rows or tiles
   * @return on the first strip what {@link #latents} takes, nothing elsewhere; of a width and
   *     height that the autoencoder makes of W and H
   * @throws IllegalArgumentException if there are more strips than rows of latents
   */
  Optional<NDArray> encode(
      NDManager owner, NDArray pixels, VaeDecoder.DecodeOptions options, Strip strip);

  /**
   * The latents of encoded pixels.
   *
   * @param encoded what {@link #encode} gave
   * @param noise standard normal noise (B, c, h, w) by which latents are drawn from the
   *     distribution that an autoencoder gives; null for its middle; not looked at where there is
   *     no distribution
   * @return (B, c, h, w), scaled as the denoising loop has them
   */
  NDArray latents(NDManager owner, NDArray encoded, @Nullable NDArray noise);

  /** Bytes of the encoder's weights. */
  long parameterBytes();

  @Override
  void close();
}
