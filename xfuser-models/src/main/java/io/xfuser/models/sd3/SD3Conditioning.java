package io.xfuser.models.sd3;

import ai.djl.ndarray.NDArray;
import io.xfuser.transformer.PerBlock;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks of Stable Diffusion 3 read.
 *
 * @param text the text that enters the first block, (B, T, C)
 * @param pooled the embedded pooled text, (B, C)
 * @param positions of this rank's tokens in the table of positions, (l)
 * @param stepOrNull what belongs to a step; null before the first
 */
record SD3Conditioning(NDArray text, NDArray pooled, NDArray positions, @Nullable Step stepOrNull) {
  SD3Conditioning at(Step step) {
    return new SD3Conditioning(text, pooled, positions, step);
  }

  Step step() {
    Step present = stepOrNull;
    if (present == null) {
      throw new IllegalStateException("the conditioning has no timestep yet");
    }
    return present;
  }

  /**
   * One step's.
   *
   * @param vector timestep and pooled text after SiLU, (B, C)
   * @param modulations shifts, scales and gates of each block, which all patches share
   */
  record Step(NDArray vector, PerBlock modulations) {}
}
