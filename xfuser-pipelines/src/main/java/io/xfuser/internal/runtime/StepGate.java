package io.xfuser.internal.runtime;

/**
 * Where a request pauses: every rank of it asks before each step, and all stop before the same one.
 * What follows the last step counts as one more.
 */
public final class StepGate {
  private int begun; // steps that some rank has begun
  private int limit = Integer.MAX_VALUE; // the first step that no rank begins

  /** Whether a rank may begin {@code step}, which it then does. */
  synchronized boolean enter(int step) {
    if (step >= limit) {
      return false;
    }
    begun = Math.max(begun, step + 1);
    return true;
  }

  /** Lets ranks begin so many steps, or those that one of them has begun if these are more. */
  public synchronized void closeAfter(int steps) {
    limit = Math.max(begun, steps);
  }

  /** How many steps were begun; all of them are over once all ranks have stopped. */
  public synchronized int taken() {
    return begun;
  }

  /** Lets ranks begin any step; none is at work. */
  public synchronized void open() {
    limit = Integer.MAX_VALUE;
  }
}
