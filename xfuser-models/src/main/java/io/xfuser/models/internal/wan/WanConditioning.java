package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.TwoTimesteps;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks read.
 *
 * @param text projected (B, T, C); its padding is attended to as text is
 * @param picture what a picture is seen as, projected (B, I, C); null where none is seen
 * @param rotation cosines and sines (l, D/2, 2) of this rank's tokens, fp32
 * @param kept keys and values of text and picture
 * @param steps modulations, made of shift, scale, gate twice, (1, 6·C) fp32
 * @param step those of a step; null before the first
 */
record WanConditioning(
    NDArray text,
    @Nullable NDArray picture,
    NDArray rotation,
    PerBlock kept,
    TwoTimesteps steps,
    TwoTimesteps.@Nullable Step step) {
  WanConditioning at(TwoTimesteps.Step next) {
    return new WanConditioning(text, picture, rotation, kept, steps, next);
  }

  TwoTimesteps.Step now() {
    return Objects.requireNonNull(step, "the conditioning has no timestep yet");
  }

  /** I, the tokens of what a picture is seen as. */
  int seen() {
    return picture == null ? 0 : Math.toIntExact(picture.getShape().get(1));
  }
}
