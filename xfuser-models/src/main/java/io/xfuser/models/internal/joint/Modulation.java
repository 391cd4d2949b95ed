package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.transformer.Part;

/** Where the shifts, factors and gates of a block come from. */
@FunctionalInterface
public interface Modulation {
  /** Those of {@code block} in a step, (12 or 3, B or 1, 1, C). */
  NDArray of(StepModulations.Now step, Part block);
}
