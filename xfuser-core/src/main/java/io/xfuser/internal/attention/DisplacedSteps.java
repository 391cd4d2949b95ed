package io.xfuser.internal.attention;

import java.util.ArrayList;
import java.util.List;

/**
 * DistriFusion's steps in one request: which of them are synchronous, and which one is taken now.
 * Belongs to the rank's thread.
 */
public final class DisplacedSteps {
  private final int synchronous;
  private final int steps;
  private final boolean spared;
  private final List<Runnable> ends = new ArrayList<>();
  private int step;

  /**
   * Before the first one.
   *
   * @param synchronous W, the first steps; at least 1, since before there is nothing stale
   * @param steps S, all steps
   * @param spared whether blocks may be left out of some of them, so that what was sent in one step
   *     is read in any later one, or in none
   */
  public DisplacedSteps(int synchronous, int steps, boolean spared) {
    if (synchronous < 1 || steps < 1) {
      throw new IllegalArgumentException(
          synchronous + " synchronous of " + steps + " steps; both must be at least 1");
    }
    this.synchronous = synchronous;
    this.steps = steps;
    this.spared = spared;
  }

  /** Step {@code t} begins, the first one being 0. */
  public void begin(int t) {
    step = t;
  }

  /** Says what ends that which is on its way when no step is left. */
  void atEnd(Runnable end) {
    ends.add(end);
  }

  /** No step is left: takes in and drops what is still on its way. */
  public void end() {
    ends.forEach(Runnable::run);
  }

  /** Whether all patches are awaited in this step. */
  boolean fresh() {
    return step < synchronous;
  }

  /** Whether a later step may attend what other patches have in this one. */
  boolean read() {
    return step + 1 < steps && (spared || step + 1 >= synchronous);
  }

  /** The step, for a sentence about it. */
  @Override
  public String toString() {
    return "step " + (step + 1) + " of " + steps;
  }
}
