package io.xfuser.internal.parallel;

import java.util.Locale;

/**
 * What messages are about. Messages between two ranks keep their order within a channel, and bytes
 * are counted by channel. Beside the mesh axes: text embeddings, the autoencoder, and the whole
 * world.
 */
public enum Channel {
  TENSOR,
  ULYSSES,
  RING,
  DISTRIFUSION,
  PIPEFUSION,
  /** Long skips between pipeline stages; they count as PipeFusion's. */
  SKIP,
  CFG,
  DATA,
  /** Sums over all tokens, and neighbours, among all ranks that have tokens of a picture. */
  TOKENS,
  TEXT,
  VAE,
  WORLD;

  /** The name in reports and messages, {@code ulysses} for example. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
