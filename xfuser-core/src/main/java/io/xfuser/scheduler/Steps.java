package io.xfuser.scheduler;

import io.xfuser.torchscript.Program;

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
}
