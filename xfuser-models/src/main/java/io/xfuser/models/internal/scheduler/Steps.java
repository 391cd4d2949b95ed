package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import io.xfuser.scheduler.Sample;
import io.xfuser.torchscript.Program;
import org.jspecify.annotations.Nullable;

/** What the solvers share: the program of their tensor arithmetic, and the check of a step. */
final class Steps {
  /** The arithmetic of one step of each solver. */
  static final Program PROGRAM = Program.load(Steps.class, "steps.py");

  private Steps() {}

  /** The step that {@code sample} is about to take. */
  static int next(Sample sample, int steps) {
    if (sample.step() >= steps) {
      throw new IllegalArgumentException("all " + steps + " steps were taken already");
    }
    return sample.step();
  }

  /** {@code noise}, refused if it is null, with the {@code reason} why it is needed. */
  static NDArray requireNoise(@Nullable NDArray noise, String reason) {
    if (noise == null) {
      throw new IllegalArgumentException(reason + ", but there is no noise to add");
    }
    return noise;
  }
}
