package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks read.
 *
 * @param text projected (B, T, C); its padding is attended to as text is
 * @param rotation cosines and sines (l, D/2, 2) of this rank's tokens, fp32
 * @param kept keys and values of the text
 * @param steps modulations of all steps, made of shift, scale, gate twice, (1, 6·C) fp32
 * @param step what belongs to a step; null before the first
 */
record WanConditioning(
    NDArray text, NDArray rotation, PerBlock kept, StepModulations steps, @Nullable Step step) {
  /**
   * A step.
   *
   * @param modulations of the blocks
   * @param embedded the timestep for the head, (1, C)
   */
  record Step(StepModulations.Now modulations, NDArray embedded) {}

  WanConditioning at(Step next) {
    return new WanConditioning(text, rotation, kept, steps, next);
  }

  Step now() {
    return Objects.requireNonNull(step, "the conditioning has no timestep yet");
  }
}
