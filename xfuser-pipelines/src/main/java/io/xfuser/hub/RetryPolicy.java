package io.xfuser.hub;

import io.xfuser.failure.HubException;
import java.io.IOException;
import java.time.Duration;

/**
 * How long to go on with a hub that does not answer.
 *
 * @param tries attempts in a row that bring nothing
 * @param pause before the second attempt; it doubles before each further one
 * @param stall after which a connection that brings nothing is given up
 */
record RetryPolicy(int tries, Duration pause, Duration stall) {
  /** For a network. */
  static final RetryPolicy USUAL =
      new RetryPolicy(5, Duration.ofSeconds(1), Duration.ofSeconds(60));

  /** Something that may succeed another time. */
  @FunctionalInterface
  interface Attempt<T> {
    /** Tries once; an IOException asks for another time. */
    T run() throws IOException;
  }

  /** The first result; the last failure if all attempts fail. */
  <T> T first(Attempt<T> attempt) throws IOException {
    for (int failures = 1; ; failures++) {
      try {
        return attempt.run();
      } catch (IOException e) {
        if (failures >= tries) {
          throw e;
        }
        pauseAfter(failures);
      }
    }
  }

  /** Waits, longer the more attempts have failed in a row. */
  void pauseAfter(int failures) {
    sleep(pause.multipliedBy(1L << (failures - 1)));
  }

  /** Sleeps; an interrupt ends the download. */
  static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** The failure of a thread that is interrupted, and stays so. */
  static HubException interrupted(Exception cause) {
    Thread.currentThread().interrupt();
    return new HubException("the download was interrupted", cause);
  }
}
