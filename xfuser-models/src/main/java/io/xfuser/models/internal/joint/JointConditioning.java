package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Part;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks of a joint transformer read.
 *
 * @param text the text that enters the first block, (B, T, C)
 * @param fixed what is embedded beside the timestep and the same in every step, (B, C)
 * @param places where this rank's tokens are, in the model's terms; dimension 0 is the tokens
 * @param stepOrNull what belongs to a step; null before the first
 */
public record JointConditioning(
    NDArray text, NDArray fixed, NDArray places, @Nullable StepConditioning stepOrNull) {
  /** Before the first step. */
  public JointConditioning(NDArray text, NDArray fixed, NDArray places) {
    this(text, fixed, places, null);
  }

  /** The same in a step, whose manager is {@code step}, with {@code vector} (B, C). */
  public JointConditioning at(NDManager step, NDArray vector) {
    return new JointConditioning(
        text, fixed, places, new StepConditioning(vector, new PerBlock(step)));
  }

  /** What belongs to this step. */
  public StepConditioning step() {
    StepConditioning present = stepOrNull;
    if (present == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return present;
  }

  /**
   * One step's.
   *
   * @param vector the embedded timestep with what is fixed, after SiLU, (B, C)
   * @param modulations shifts, scales and gates of each block, which all patches share
   */
  public record StepConditioning(NDArray vector, PerBlock modulations) {
    /** Those of {@code block}, which {@code function} makes of the vector and its weights. */
    public NDArray modulation(Part block, Program program, String function) {
      return modulations.get(block, step -> program.call(step, function, vector, block.weights()));
    }
  }
}
