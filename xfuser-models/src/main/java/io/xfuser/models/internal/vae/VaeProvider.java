package io.xfuser.models.internal.vae;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/**
 * Reads the autoencoders of some of diffusers' classes. Another one is added by a class with a
 * public constructor without parameters that implements this, named in {@code
 * META-INF/services/io.xfuser.models.internal.vae.VaeProvider}: every pipeline that needs no more
 * than its {@link #abilities} then takes it.
 */
public interface VaeProvider {
  /** The classes, as {@code model_index.json} names them. */
  Set<String> classNames();

  /** What they decode. */
  Set<Ability> abilities();

  /**
   * Reads {@code config.json}.
   *
   * @throws ModelException naming the setting that is wrong or not supported
   */
  Vae read(ComponentConfig config);

  /** What an autoencoder decodes. */
  enum Ability {
    /** Pictures that have nothing to do with one another: {@link Vae#decoder}. */
    PICTURES,
    /** Frames of videos: {@link Vae#framesDecoder}. */
    FRAMES,
    /** Pictures whose latents have a mean and a deviation for each channel: {@link Vae#decoder}. */
    WHITENED,
    /**
     * Videos of such latents, whose frames see those before them, and of whose frames all but the
     * first are {@link Vae#temporalScale} to one of latents: {@link Vae#framesDecoder}.
     */
    VIDEOS,
    /**
     * Videos of scaled latents, some frames of which are decoded together, with norms of their own:
     * {@link Vae#framesDecoder}. Of an odd number of frames all but the first are {@link
     * Vae#temporalScale}, of an even number all.
     */
    CLIPS
  }
}
