package io.xfuser.models.internal.hunyuandit;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.PerBlock;

/**
 * What HunyuanDiT's blocks read.
 *
 * @param text both texts (B, T, E), learned padding where a prompt is shorter
 * @param rotation cosines and sines of this rank's tokens, (l, D/2, 2) in fp32
 * @param condition text, sizes and style, of a step the timestep too, (B, C)
 * @param textKeyValues keys and values (B, T, 2, H, D) of the texts
 */
record HunyuanDiTConditioning(
    NDArray text, NDArray rotation, NDArray condition, PerBlock textKeyValues) {

  HunyuanDiTConditioning at(NDArray step) {
    return new HunyuanDiTConditioning(text, rotation, step, textKeyValues);
  }
}
