package io.xfuser.models.internal.vae;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.weights.ComponentConfig;

/** An autoencoder as its settings describe it; its weights are read by what it opens. Immutable. */
public interface Vae {
  /** Where the settings are from, for messages. */
  String origin();

  int latentChannels();

  /**
   * Refuses latents that are not the transformer's.
   *
   * @param setting what the transformer's settings call their channels
   * @throws ArgumentException with both numbers
   */
  default void requireChannels(String setting, int channels) {
    if (latentChannels() != channels) {
      throw new ArgumentException(
          "%s: latent_channels is %d, but %s of the transformer is %d"
              .formatted(origin(), latentChannels(), setting, channels));
    }
  }

  /** Rows of pixels per row of latents. */
  int scale();

  /** Frames of a video, all but the first, per frame of its latents. */
  default int temporalScale() {
    return 1;
  }

  /** What the decoder needs room for. */
  VaeDecoder.Footprint footprint();

  /**
   * Refuses ways to decode that the decoder does not have.
   *
   * @throws IllegalArgumentException naming them
   */
  void check(VaeDecoder.DecodeOptions options);

  /**
   * Makes sure that {@code source} has all that the decoder needs, without reading weights.
   *
   * @throws ModelException as when it is opened
   */
  void check(ComponentWeights source);

  /** Whether encoded pictures are distributions, of which latents are drawn. */
  boolean draws();

  /** What the encoder needs room for. */
  VaeDecoder.Footprint encoderFootprint();

  /**
   * Makes sure that there is an encoder and that {@code source} has all that it needs, without
   * reading weights.
   *
   * @param config the settings, of which encoders look at some that decoders do not
   * @throws ModelException as when it is opened
   */
  void checkEncoder(ComponentConfig config, ComponentWeights source);

  /**
   * Loads the encoder.
   *
   * @param config the settings again
   * @throws ModelException if there is none, a setting is not supported, or weights are missing or
   *     of another shape
   */
  VaeEncoder encoder(ComponentConfig config, ComponentWeights source);

  /**
   * Loads the encoder for the frames of videos, of which some become one of latents.
   *
   * @param config the settings again
   * @throws ModelException if there is none, or as {@link #encoder} says
   */
  default VaeEncoder framesEncoder(ComponentConfig config, ComponentWeights source) {
    throw new ModelException(origin() + ": an encoder of videos is not supported");
  }

  /** The same without a shift of latents, for pipelines that do not look at it. */
  Vae unshifted();

  /**
   * Loads the decoder.
   *
   * @throws ModelException if weights are missing or of another shape
   */
  VaeDecoder decoder(ComponentWeights source);

  /**
   * Loads the decoder for the frames of videos.
   *
   * @throws ModelException if weights are missing or of another shape
   */
  VaeDecoder framesDecoder(ComponentWeights source);
}
