package io.xfuser.config;

/** What a call gives back. */
public enum OutputType {
  /** Decoded pictures. */
  PIL,
  /** Decoded pixels as a float tensor, 0 to 1. */
  PT,
  /** Latents in diffusers' layout, not decoded. */
  LATENT
}
