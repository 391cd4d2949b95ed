package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.stream.Stream;

/** An autoencoder whose two halves are layers one after the other. */
interface LayeredVae extends Vae {
  /** The decoder, from unscaled latents (B, c, h, w) to pixels (B, 3, H, W). */
  Sequence decoderLayers(NDManager owner, Weights weights);

  /**
   * The encoder, from pixels (B, 3, H, W) to means and logarithms of variances (B, 2c, h, w), or to
   * latents (B, c, h, w) where there is no distribution.
   *
   * @param settings of which encoders look at some that decoders do not
   */
  Sequence encoderLayers(NDManager owner, ComponentConfig settings, Weights weights);

  /** How tiles of the decoder lie. */
  Tiling tiling();

  /** How those of the encoder do. */
  default Tiling encoderTiling() {
    return tiling().encoding();
  }

  /** Which frames of a video's latents pass the decoder together, where frames see those before. */
  default VideoPass.Chunks chunks() {
    return VideoPass.Chunks.afterFirst(1);
  }

  /** Whether frames of a video are decoded together, each block looking at its neighbours. */
  default boolean temporal() {
    return false;
  }

  /**
   * Whether a tensor is of no use to a decoder's layers: the last are what latents are scaled by.
   */
  default boolean beside(String name) {
    return Stream.of("encoder.", "quant_conv.", "bn.").anyMatch(name::startsWith);
  }

  /** Pixels (B, 3, H, W), of what the decoder's layers made in all. */
  default NDArray finished(NDManager owner, NDArray x) {
    return Torch.alias(owner, x);
  }

  /**
   * What the decoder's layers take of latents (B, c, h, w) as the denoising loop left them.
   *
   * @param type its element type
   * @param shifted whether the shift of latents counts
   */
  NDArray unscaled(NDManager owner, NDArray latents, int type, boolean shifted);

  /**
   * Latents as the denoising loop has them, of what the encoder's layers made.
   *
   * @param noise by which they are drawn; empty for the middle of the distribution
   */
  NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise);

  @Override
  default void check(VaeDecoder.DecodeOptions options) {
    AutoencoderKlDecoder.check(this, options);
  }

  @Override
  default void check(ComponentWeights source) {
    AutoencoderKlDecoder.check(this, source);
  }

  @Override
  default VaeDecoder decoder(ComponentWeights source) {
    return AutoencoderKlDecoder.open(this, source);
  }

  @Override
  default VaeDecoder framesDecoder(ComponentWeights source) {
    return new FramesDecoder(AutoencoderKlDecoder.open(this, source));
  }

  @Override
  default void checkEncoder(ComponentConfig config, ComponentWeights source) {
    AutoencoderKlEncoder.check(this, config, source);
  }

  @Override
  default VaeEncoder encoder(ComponentConfig config, ComponentWeights source) {
    return AutoencoderKlEncoder.open(this, config, source);
  }
}
