package io.xfuser.models.internal.hunyuandit;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What HunyuanDiT's blocks read.
 *
 * @param text both texts (B, T, E), learned padding where a prompt is shorter
 * @param rotation cosines and sines of this rank's tokens, (l, D/2, 2) in fp32
 * @param textKeyValues keys and values (B, T, 2, H, D) of the texts
 * @param steps what is made of each timestep with text, sizes and style
 * @param stepOrNull the step that is taken; null before the first
 */
record HunyuanDiTConditioning(
    NDArray text,
    NDArray rotation,
    PerBlock textKeyValues,
    StepModulations steps,
    StepModulations.@Nullable Now stepOrNull) {

  HunyuanDiTConditioning at(StepModulations.Now step) {
    return new HunyuanDiTConditioning(text, rotation, textKeyValues, steps, step);
  }

  StepModulations.Now step() {
    return Objects.requireNonNull(stepOrNull, "the conditioning has no timestep yet");
  }
}
