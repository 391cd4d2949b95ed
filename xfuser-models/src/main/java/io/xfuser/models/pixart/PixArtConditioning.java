package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What PixArt's blocks read.
 *
 * @param request owns what is kept for the whole request
 * @param text projected captions (B, T, C)
 * @param textMask added to the scores of cross-attention, (B, 1, 1, T)
 * @param positions position embeddings of this rank's tokens, (l, C) in fp32
 * @param sizes the embedded size of the picture (1, C), or null
 * @param timestep shift, scale and gate of both halves of a block, (6, C); null before the first
 *     step
 * @param embeddedTimestep the timestep for the head, (C); null before the first step
 * @param textKeyValues keys and values of the captions by block, filled as blocks ask
 */
record PixArtConditioning(
    NDManager request,
    NDArray text,
    NDArray textMask,
    NDArray positions,
    @Nullable NDArray sizes,
    @Nullable NDArray timestep,
    @Nullable NDArray embeddedTimestep,
    Map<PixArtBlock, NDArray> textKeyValues) {

  PixArtConditioning(
      NDManager request,
      NDArray text,
      NDArray textMask,
      NDArray positions,
      @Nullable NDArray sizes) {
    this(request, text, textMask, positions, sizes, null, null, new IdentityHashMap<>());
  }

  PixArtConditioning at(NDArray newTimestep, NDArray newEmbedded) {
    return new PixArtConditioning(
        request, text, textMask, positions, sizes, newTimestep, newEmbedded, textKeyValues);
  }

  NDArray step() {
    return present(timestep);
  }

  NDArray embeddedStep() {
    return present(embeddedTimestep);
  }

  /**
   * Keys and values (B, T, 2, H, D) of the captions in {@code block}, projected once per request.
   */
  NDArray textKeyValues(PixArtBlock block, UnaryOperator<NDArray> projection) {
    return textKeyValues.computeIfAbsent(block, key -> projection.apply(text));
  }

  private static NDArray present(@Nullable NDArray tensor) {
    if (tensor == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return tensor;
  }
}
