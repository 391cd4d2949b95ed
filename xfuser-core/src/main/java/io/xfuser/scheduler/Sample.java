package io.xfuser.scheduler;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * A whole picture or one patch of it on its way from noise: its tokens and what the solver
 * remembers.
 *
 * @param tokens the noisy latents, any shape, usually (B, L, c)
 * @param history what earlier steps left, newest first; each of the shape of {@code tokens}
 * @param step how many steps were taken
 */
public record Sample(NDArray tokens, List<NDArray> history, int step) {
  /** Noise before the first step. */
  public static Sample of(NDArray tokens) {
    return new Sample(tokens, List.of(), 0);
  }
}
