package io.xfuser.models.internal.dit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.transformer.Part;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What DiT's blocks read.
 *
 * @param labels classes (B) int64
 * @param positions position embeddings of this rank's tokens, (l, C) in fp32
 * @param step the step that is taken; null before the first
 */
record DiTConditioning(NDArray labels, NDArray positions, @Nullable AtTimestep step) {

  /**
   * One step.
   *
   * @param timestep its time
   * @param modulations of the blocks and the head that asked
   */
  record AtTimestep(double timestep, PerBlock modulations) {}

  DiTConditioning at(NDManager owner, double timestep) {
    return new DiTConditioning(labels, positions, new AtTimestep(timestep, new PerBlock(owner)));
  }

  /** Shift, scale and gate (n, B, 1, C) of {@code part} by {@code function}, once per step. */
  NDArray modulation(Part part, String function) {
    AtTimestep now = Objects.requireNonNull(step, "the conditioning has no timestep yet");
    return now.modulations()
        .get(
            part,
            owner -> DiT.PROGRAM.call(owner, function, labels, now.timestep(), part.weights()));
  }
}
