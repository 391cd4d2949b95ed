package io.xfuser.testing;

import java.time.Duration;

/**
 * How often a measurement may be taken again that other work on the machine has spoiled: as often
 * as there is time for, because a machine may be busy for longer than a few tries take.
 */
public final class Tries {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final long start = System.nanoTime();

  /** Whether there is time for another one, as there is for the first. */
  public boolean goOn() {
    return System.nanoTime() - start < LIMIT.toNanos();
  }
}
