package io.xfuser.internal.trace;

import io.xfuser.internal.parallel.Communicator;
import java.util.ArrayList;
import java.util.List;

/**
 * A rank's clock, read around barriers, so that clocks of different ranks can be compared: no rank
 * leaves a barrier before every rank has entered it.
 *
 * @param process tells processes of all machines apart; threads of one process have one clock
 * @param entered just before each barrier, nanoseconds
 * @param left just after it
 */
public record ClockReadings(String process, List<Long> entered, List<Long> left) {
  private static final int BARRIERS = 16;

  /** Reads this rank's clock; all ranks call it together. */
  public static ClockReadings take(String process, Communicator everyone) {
    List<Long> entered = new ArrayList<>();
    List<Long> left = new ArrayList<>();
    for (int i = 0; i < BARRIERS; i++) {
      entered.add(System.nanoTime());
      everyone.barrier();
      left.add(System.nanoTime());
    }
    return new ClockReadings(process, entered, left);
  }

  /**
   * How much more this clock shows than {@code other} at the same time. Each barrier bounds it from
   * both sides; the answer is the middle of what all of them leave, or 0 where they leave that, as
   * processes of one machine usually have one clock.
   */
  Offset minus(ClockReadings other) {
    if (process.equals(other.process)) {
      return new Offset(0, 0);
    }
    long least = Long.MIN_VALUE;
    long most = Long.MAX_VALUE;
    for (int i = 0; i < entered.size(); i++) {
      least = Math.max(least, entered.get(i) - other.left.get(i));
      most = Math.min(most, left.get(i) - other.entered.get(i));
    }
    long nanos = least <= 0 && most >= 0 ? 0 : least + (most - least) / 2;
    return new Offset(nanos, Math.max(most - nanos, nanos - least));
  }

  /**
   * The distance of two clocks.
   *
   * @param nanos one minus the other
   * @param error by how much that may be wrong at most
   */
  record Offset(long nanos, long error) {}
}
