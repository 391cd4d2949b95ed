package io.xfuser.models.internal.pixart;

/**
 * What the pipelines of PixArt-α and PixArt-Σ do differently; the transformers differ by their
 * config.
 *
 * @param name the model's short name
 * @param maxSequenceLength text tokens where the caller does not say
 * @param largestSample the largest sample size, in latents, that there are resolution bins for
 * @param originalInOneStep whether a request of one step draws the predicted original
 */
record PixArtVariant(
    String name, int maxSequenceLength, int largestSample, boolean originalInOneStep) {
  static PixArtVariant alpha() {
    return new PixArtVariant("pixart_alpha", 120, 128, true);
  }

  static PixArtVariant sigma() {
    return new PixArtVariant("pixart_sigma", 300, 256, false);
  }
}
