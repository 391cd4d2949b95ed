package io.xfuser.models.hunyuandit;

import ai.djl.ndarray.NDArray;
import io.xfuser.transformer.PerBlock;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What HunyuanDiT's blocks read.
 *
 * @param text both texts (B, T, E), learned padding where a prompt is shorter
 * @param rotation cosines and sines of this rank's tokens, (l, D/2, 2) in fp32
 * @param extra the condition beside the timestep, (B, C)
 * @param stepOrNull timestep and extra condition, (B, C); null before the first step
 * @param textKeyValues keys and values (B, T, 2, H, D) of the texts
 */
record HunyuanDiTConditioning(
    NDArray text,
    NDArray rotation,
    NDArray extra,
    @Nullable NDArray stepOrNull,
    PerBlock textKeyValues) {

  HunyuanDiTConditioning at(NDArray step) {
    return new HunyuanDiTConditioning(text, rotation, extra, step, textKeyValues);
  }

  NDArray step() {
    return Objects.requireNonNull(stepOrNull, "the conditioning has no timestep yet");
  }
}
