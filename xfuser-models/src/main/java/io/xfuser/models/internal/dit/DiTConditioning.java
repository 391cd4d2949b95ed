package io.xfuser.models.internal.dit;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.transformer.Part;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What DiT's blocks read.
 *
 * @param labels classes (B) int64
 * @param positions position embeddings of this rank's tokens, (l, C) in fp32
 * @param steps modulations of all steps, made of sinusoids (B, 256) of each and the classes
 * @param step the step that is taken; null before the first
 */
record DiTConditioning(
    NDArray labels, NDArray positions, StepModulations steps, StepModulations.@Nullable Now step) {

  DiTConditioning at(StepModulations.Now next) {
    return new DiTConditioning(labels, positions, steps, next);
  }

  /** Shift, scale and gate (n, B, 1, C) of {@code part} by {@code function}. */
  NDArray modulation(Part part, String function) {
    return Objects.requireNonNull(step, "the conditioning has no timestep yet")
        .of(
            part,
            (owner, times) -> DiT.PROGRAM.call(owner, function, times, labels, part.weights()));
  }
}
