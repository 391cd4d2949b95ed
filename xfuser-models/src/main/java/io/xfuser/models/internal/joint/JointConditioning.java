package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.StepModulations;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks of a joint transformer read.
 *
 * @param text the text that enters the first block, (B, T, C), or what that is made of
 * @param mask of the text, (B, T), as attention takes it; null = all of it is attended
 * @param textPlaces where the text's tokens are, in the model's terms; null = nowhere
 * @param places where this rank's tokens are, in the model's terms; dimension 0 is the tokens
 * @param rows of the modulations by which each of this rank's tokens is modulated, (l) int64; null
 *     = all by those of their row of the batch
 * @param steps modulations of all steps, made of the embedded timestep with what is the same in
 *     every step, after SiLU, (B, C)
 * @param refining makes the text that enters the first block, anew in each step; null = it enters
 *     as it is
 * @param shown pictures that are prompts; null = none
 * @param stepOrNull what belongs to a step; null before the first
 */
public record JointConditioning(
    NDArray text,
    @Nullable NDArray mask,
    @Nullable NDArray textPlaces,
    NDArray places,
    @Nullable NDArray rows,
    StepModulations steps,
    @Nullable Function<StepModulations.Now, NDArray> refining,
    @Nullable Shown shown,
    StepModulations.@Nullable Now stepOrNull) {
  /** Before the first step, with text that is all attended and nowhere. */
  public JointConditioning(NDArray text, NDArray places, StepModulations steps) {
    this(text, null, null, places, null, steps);
  }

  /** Before the first step, with text that enters as it is. */
  public JointConditioning(
      NDArray text,
      @Nullable NDArray mask,
      @Nullable NDArray textPlaces,
      NDArray places,
      @Nullable NDArray rows,
      StepModulations steps) {
    this(text, mask, textPlaces, places, rows, steps, null, null, null);
  }

  public JointConditioning masked(NDArray other) {
    return new JointConditioning(
        text, other, textPlaces, places, rows, steps, refining, shown, stepOrNull);
  }

  /** The same with text that is refined anew in each step, to as many tokens. */
  public JointConditioning refined(Function<StepModulations.Now, NDArray> other) {
    return new JointConditioning(
        text, mask, textPlaces, places, rows, steps, other, shown, stepOrNull);
  }

  /** The same with pictures that are prompts, if there are any. */
  public JointConditioning showing(Optional<Shown> pictures) {
    return new JointConditioning(
        text, mask, textPlaces, places, rows, steps, refining, pictures.orElse(null), stepOrNull);
  }

  /** The text that enters the first block in this step, (B, T, C). */
  public NDArray entering() {
    return refining == null ? text : refining.apply(step());
  }

  /** The same in a step, whose manager is {@code step}. */
  public JointConditioning at(NDManager step, double timestep) {
    @Nullable Shown now = shown == null ? null : shown.at(step, timestep);
    return new JointConditioning(
        text, mask, textPlaces, places, rows, steps, refining, now, steps.at(step, timestep));
  }

  public StepModulations.Now step() {
    StepModulations.Now present = stepOrNull;
    if (present == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return present;
  }
}
