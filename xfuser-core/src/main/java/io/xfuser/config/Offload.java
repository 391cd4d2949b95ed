package io.xfuser.config;

/** What happens to weights on a GPU while they are not in use. */
public enum Offload {
  /** They stay there. */
  NONE,

  /** Text encoders, transformer and VAE are on the GPU one after another. */
  MODEL,

  /** The layers of each are on the GPU one after another. */
  SEQUENTIAL
}
