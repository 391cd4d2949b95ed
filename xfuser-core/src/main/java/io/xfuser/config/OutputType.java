package io.xfuser.config;

/** What a call gives back. */
public enum OutputType {
  /** Decoded pictures. */
  PIL,
  /** Latents in diffusers' layout, not decoded. */
  LATENT
}
