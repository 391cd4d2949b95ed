package io.xfuser.models.dit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What DiT's blocks read.
 *
 * @param labels classes (B) int64
 * @param positions position embeddings of this rank's tokens, (l, C) in fp32
 * @param step the step that is taken; null before the first
 */
record DiTConditioning(NDArray labels, NDArray positions, @Nullable Step step) {

  /**
   * One step.
   *
   * @param owner owns what is computed for it
   * @param timestep its time
   * @param modulations of the blocks and the head that asked, by their weights
   */
  record Step(NDManager owner, double timestep, Map<TensorList, NDArray> modulations) {}

  DiTConditioning at(NDManager owner, double timestep) {
    return new DiTConditioning(
        labels, positions, new Step(owner, timestep, new IdentityHashMap<>()));
  }

  /** Shift, scale and gate (parts, B, 1, C) by {@code weights}, computed once per step. */
  NDArray modulation(TensorList weights, int parts) {
    Step now = Objects.requireNonNull(step, "the conditioning has no timestep yet");
    return now.modulations()
        .computeIfAbsent(
            weights,
            key ->
                DiT.PROGRAM.call(
                    now.owner(), "modulation", labels, now.timestep(), weights, parts));
  }
}
