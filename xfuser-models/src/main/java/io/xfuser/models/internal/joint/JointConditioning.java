package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.StepModulations;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks of a joint transformer read.
 *
 * @param text the text that enters the first block, (B, T, C)
 * @param mask of the text, (B, T), as attention takes it; null = all of it is attended
 * @param textPlaces where the text's tokens are, in the model's terms; null = nowhere
 * @param places where this rank's tokens are, in the model's terms; dimension 0 is the tokens
 * @param rows of the modulations by which each of this rank's tokens is modulated, (l) int64; null
 *     = all by those of their row of the batch
 * @param steps modulations of all steps, made of the embedded timestep with what is the same in
 *     every step, after SiLU, (B, C)
 * @param stepOrNull what belongs to a step; null before the first
 */
public record JointConditioning(
    NDArray text,
    @Nullable NDArray mask,
    @Nullable NDArray textPlaces,
    NDArray places,
    @Nullable NDArray rows,
    StepModulations steps,
    StepModulations.@Nullable Now stepOrNull) {
  /** Before the first step, with text that is all attended and nowhere. */
  public JointConditioning(NDArray text, NDArray places, StepModulations steps) {
    this(text, null, null, places, null, steps, null);
  }

  /** The same with a mask. */
  public JointConditioning masked(NDArray other) {
    return new JointConditioning(text, other, textPlaces, places, rows, steps, stepOrNull);
  }

  /** The same in a step, whose manager is {@code step}. */
  public JointConditioning at(NDManager step, double timestep) {
    return new JointConditioning(
        text, mask, textPlaces, places, rows, steps, steps.at(step, timestep));
  }

  /** What belongs to this step. */
  public StepModulations.Now step() {
    StepModulations.Now present = stepOrNull;
    if (present == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return present;
  }
}
