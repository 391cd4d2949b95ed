package io.xfuser.scheduler;

import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;

/** What the solvers share: the program of their tensor arithmetic, and the check of a step. */
final class Steps {
  /** The arithmetic of one step of each solver. */
  static final Program PROGRAM = Program.load(Steps.class, "steps.py");

  private Steps() {}

  /** Square roots as libtorch rounds them. */
  static float[] roots(double... numbers) {
    try (NDManager scope = Torch.newManager()) {
      return PROGRAM.call(scope, "roots", numbers).toFloatArray();
    }
  }

  /** The same by {@code exp(log(x) / 2)}, whose rounding differs. */
  static float[] rootsByLogarithms(double... numbers) {
    try (NDManager scope = Torch.newManager()) {
      return PROGRAM.call(scope, "roots_by_logarithms", numbers).toFloatArray();
    }
  }

  /** The step that {@code sample} is about to take. */
  static int next(Sample sample, int steps) {
    if (sample.step() >= steps) {
      throw new IllegalArgumentException("all " + steps + " steps were taken already");
    }
    return sample.step();
  }
}
