package io.xfuser.models.internal.zimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.StepModulations;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks read.
 *
 * @param text captions of K tokens, and tokens that fill up the image, (B, T, C)
 * @param captionTokens K
 * @param mask (B, T), 0 where a text is shorter than the longest; null where all are as long
 * @param textRotation cosines and sines of the text's places, (B, T, D/2, 2) fp32
 * @param rotation those of all image tokens of this rank, (B, l, D/2, 2) fp32
 * @param steps modulations of all steps, made of the embedded timestep (1, E)
 * @param stepOrNull what belongs to a step; null before the first
 */
record ZImageConditioning(
    NDArray text,
    long captionTokens,
    @Nullable NDArray mask,
    NDArray textRotation,
    NDArray rotation,
    StepModulations steps,
    StepModulations.@Nullable Now stepOrNull) {
  /** The same in a step, whose manager is {@code step}. */
  ZImageConditioning at(NDManager step, double timestep) {
    return new ZImageConditioning(
        text, captionTokens, mask, textRotation, rotation, steps, steps.at(step, timestep));
  }

  StepModulations.Now step() {
    StepModulations.Now present = stepOrNull;
    if (present == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return present;
  }
}
