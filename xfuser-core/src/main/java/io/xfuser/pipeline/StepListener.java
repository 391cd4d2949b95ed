package io.xfuser.pipeline;

/**
 * Told of progress; must return soon. Never called by two threads at a time. It may not call {@link
 * XDiTParallel#generate} or {@link XDiTParallel#close} of what it listens to; an exception ends the
 * request, and nothing else.
 */
@FunctionalInterface
public interface StepListener {
  /** Listens to nothing. */
  StepListener NONE = (step, steps) -> true;

  /**
   * Called after each denoising step, on the thread of rank 0: when it is done, on whatever device.
   * On a GPU the next step is under way by then, so that a cancel costs up to one step more.
   *
   * @param step steps taken, 1 to {@code steps}
   * @param steps steps in all
   * @return whether to go on; {@code false} cancels the generation on all ranks, and {@code
   *     generate} throws {@link io.xfuser.failure.CancelledException}
   */
  boolean stepTaken(int step, int steps);

  /**
   * Called while something other than the steps goes on, on the thread of the first rank of this
   * JVM that does it: when it begins, and after each of its parts.
   *
   * @return as {@link #stepTaken} does; by default {@code true}
   */
  default boolean progressed(Progress progress) {
    return true;
  }
}
