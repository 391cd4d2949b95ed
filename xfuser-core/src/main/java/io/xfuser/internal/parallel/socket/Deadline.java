package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import java.time.Duration;

/**
 * A moment until which something is waited for.
 *
 * @param nanoTime of {@link System#nanoTime}
 */
record Deadline(long nanoTime) {
  static Deadline after(Duration limit) {
    return new Deadline(System.nanoTime() + limit.toNanos());
  }

  /** Milliseconds until then, begun ones too; 0 or less afterwards. */
  long millis() {
    return (nanoTime - System.nanoTime() + 999_999) / 1_000_000;
  }

  boolean isOver() {
    return millis() <= 0;
  }

  /**
   * Sleeps.
   *
   * @throws CommunicationException if the thread is interrupted, which it stays
   */
  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException("interrupted while ranks were waited for", e);
    }
  }
}
