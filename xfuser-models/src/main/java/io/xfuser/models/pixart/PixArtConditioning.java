package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.transformer.PerBlock;
import org.jspecify.annotations.Nullable;

/**
 * What PixArt's blocks read.
 *
 * @param text projected captions (B, T, C)
 * @param textMask added to the scores of cross-attention, (B, 1, 1, T)
 * @param positions position embeddings of this rank's tokens, (l, C) in fp32
 * @param sizes the embedded size of the picture (1, C), or null
 * @param timestep shift, scale and gate of both halves of a block, (6, C); null before the first
 *     step
 * @param embeddedTimestep the timestep for the head, (C); null before the first step
 * @param textKeyValues keys and values (B, T, 2, H, D) of the captions
 */
record PixArtConditioning(
    NDArray text,
    NDArray textMask,
    NDArray positions,
    @Nullable NDArray sizes,
    @Nullable NDArray timestep,
    @Nullable NDArray embeddedTimestep,
    PerBlock textKeyValues) {

  PixArtConditioning(
      NDManager request,
      NDArray text,
      NDArray textMask,
      NDArray positions,
      @Nullable NDArray sizes) {
    this(text, textMask, positions, sizes, null, null, new PerBlock(request));
  }

  PixArtConditioning at(NDArray newTimestep, NDArray newEmbedded) {
    return new PixArtConditioning(
        text, textMask, positions, sizes, newTimestep, newEmbedded, textKeyValues);
  }

  NDArray step() {
    return present(timestep);
  }

  NDArray embeddedStep() {
    return present(embeddedTimestep);
  }

  private static NDArray present(@Nullable NDArray tensor) {
    if (tensor == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return tensor;
  }
}
