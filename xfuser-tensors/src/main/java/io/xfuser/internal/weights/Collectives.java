package io.xfuser.internal.weights;

import java.util.function.BooleanSupplier;

/**
 * How many ranks of this process are in a collective. What is read ahead then waits, since both
 * want the same links and memory; what a rank waits for does not, or it would wait for itself.
 */
public final class Collectives {
  private int active;

  public synchronized void begin() {
    active++;
  }

  public synchronized void end() {
    active--;
    notifyAll();
  }

  /** Returns when no rank is in a collective, or {@code anyway} holds; {@link #look} asks again. */
  synchronized void awaitNone(BooleanSupplier anyway) {
    boolean interrupted = false;
    while (active > 0 && !anyway.getAsBoolean()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  synchronized void look() {
    notifyAll();
  }
}
