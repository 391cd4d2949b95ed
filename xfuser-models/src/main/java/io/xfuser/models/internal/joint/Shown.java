package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.transformer.ConditionInput;

/** Pictures that are prompts, as a model's blocks see them. Belongs to one rank's thread. */
public interface Shown {
  /** The same in a step, whose manager is {@code step}. */
  default Shown at(NDManager step, double timestep) {
    return this;
  }

  /**
   * What pictures are seen as, (B, n, {@code width}), by the name of the tensor.
   *
   * @throws ArgumentException if a tensor was given that is not of this width
   */
  static NDArray embeds(ConditionInput input, String name, long width) {
    NDArray embeds = input.text(name);
    if (embeds.getShape().get(2) != width) {
      throw new ArgumentException(
          "%s has the shape %s, but the adapter takes %d values of each picture"
              .formatted(name, embeds.getShape(), width));
    }
    return embeds;
  }
}
