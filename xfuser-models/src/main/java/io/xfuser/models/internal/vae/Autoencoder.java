package io.xfuser.models.internal.vae;

import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The autoencoder of a diffusers directory: its settings, and its two halves, each loaded when it
 * is asked for. Nobody minds an encoder that cannot be used but who has a picture for it.
 */
public final class Autoencoder {
  private static final String NAME = "vae";

  private final PipelineComponents components;
  private final ComponentConfig settings;
  private final Vae vae;
  private final VaeDecoder.Colors colors;
  private final AtomicLong decoderBytes = new AtomicLong();
  private final AtomicLong encoderBytes = new AtomicLong();

  /**
   * Reads its settings.
   *
   * @throws io.xfuser.failure.ModelException naming the setting that is wrong or not supported
   */
  public Autoencoder(PipelineComponents components) {
    this.components = components;
    this.settings = components.config(NAME, "config.json");
    this.vae = Vaes.read(settings);
    this.colors = LatentColors.of(settings, vae.latentChannels());
  }

  /** What the settings say. */
  public Vae vae() {
    return vae;
  }

  /** Which colours its latents have, as far as that is known. */
  public VaeDecoder.Colors colors() {
    return colors;
  }

  /**
   * Makes sure that the decoder can be loaded, without reading weights.
   *
   * @throws IllegalArgumentException naming what is missing or wrong
   */
  public void check() {
    promised(decoderBytes, vae::check);
  }

  public void checkEncoder() {
    promised(encoderBytes, source -> vae.checkEncoder(settings, source));
  }

  private void promised(AtomicLong bytes, Consumer<ComponentWeights> trial) {
    try (ComponentWeights source = ComponentWeights.open(components, NAME)) {
      ReadBytes.told(
          bytes::set,
          () -> {
            trial.accept(source);
            return true;
          });
    }
  }

  /** Bytes of the decoder's weights, once it was checked. */
  public long decoderBytes() {
    return decoderBytes.get();
  }

  /** Bytes of the encoder's weights, once it was checked. */
  public long encoderBytes() {
    return encoderBytes.get();
  }

  /**
   * Loads the encoder.
   *
   * @param shifts whether the pipeline looks at {@code shift_factor}
   */
  public VaeEncoder encoder(Placement placement, boolean shifts) {
    Vae shifted = shifts ? vae : vae.unshifted();
    return opened(placement, source -> shifted.encoder(settings, source));
  }

  /** Loads the encoder for the frames of videos. */
  public VaeEncoder framesEncoder(Placement placement) {
    return opened(placement, source -> vae.framesEncoder(settings, source));
  }

  /** What {@code opening} makes of the weights, on the device of {@code placement}. */
  public <T> T opened(Placement placement, Function<ComponentWeights, T> opening) {
    try (ComponentWeights source = ComponentWeights.open(components.on(placement), NAME)) {
      return opening.apply(source);
    }
  }
}
