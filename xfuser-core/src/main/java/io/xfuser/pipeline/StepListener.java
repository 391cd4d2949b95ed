package io.xfuser.pipeline;

/** Told of progress, on the thread of rank 0; must return soon. */
@FunctionalInterface
public interface StepListener {
  /** Listens to nothing. */
  StepListener NONE = (step, steps) -> true;

  /**
   * Called after each denoising step: when it is done, on whatever device. On a GPU the next step
   * is under way by then, so that a cancel costs up to one step more.
   *
   * @param step steps taken, 1 to {@code steps}
   * @param steps steps in all
   * @return whether to go on; {@code false} cancels the generation on all ranks, and {@code
   *     generate} throws {@link io.xfuser.parallel.CancelledException}
   */
  boolean stepTaken(int step, int steps);
}
