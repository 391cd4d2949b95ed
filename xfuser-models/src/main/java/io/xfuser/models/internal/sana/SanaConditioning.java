package io.xfuser.models.internal.sana;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks read.
 *
 * @param text projected captions (B, T, C)
 * @param mask (B, 1, 1, T), added to the scores of what looks at them
 * @param guidance embedded (1, C), if the model is told it
 * @param positions embeddings of this rank's tokens, (l, C) in fp32, if the model has any
 * @param columns of tokens
 * @param kept keys and values of the captions
 * @param steps modulations of all steps, made of shift, scale, gate twice, (1, 6·C)
 * @param step what belongs to a step; null before the first
 */
record SanaConditioning(
    NDArray text,
    List<NDArray> mask,
    List<NDArray> guidance,
    List<NDArray> positions,
    int columns,
    PerBlock kept,
    StepModulations steps,
    @Nullable Step step) {
  /**
   * A step.
   *
   * @param modulations of the blocks
   * @param embedded the timestep for the head, (1, C)
   */
  record Step(StepModulations.Now modulations, NDArray embedded) {}

  SanaConditioning at(Step next) {
    return new SanaConditioning(text, mask, guidance, positions, columns, kept, steps, next);
  }

  Step now() {
    return Objects.requireNonNull(step, "the conditioning has no timestep yet");
  }
}
