package io.xfuser.pipeline;

import io.xfuser.failure.CancelledException;
import java.util.concurrent.locks.ReentrantLock;

/** Whose request is at work: one after another, in the order in which their callers came. */
final class Turns {
  private final ReentrantLock turn = new ReentrantLock(true);
  private volatile boolean closed;
  private boolean ended; // guarded by turn

  /**
   * Waits for the caller's turn, which lasts until {@link #end}.
   *
   * @param held whether an interrupt does not end the waiting: other JVMs wait for this call too,
   *     and hear of the interrupt only in its turn
   * @throws CancelledException if the thread is interrupted meanwhile; it stays interrupted
   * @throws IllegalStateException if nothing more is to be done
   */
  void take(boolean held) {
    requireOpen("the pipeline is closed");
    if (held) {
      turn.lock();
    } else {
      try {
        turn.lockInterruptibly();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("interrupted before the request began");
      }
    }
    if (closed) {
      turn.unlock();
      throw new IllegalStateException("the pipeline was closed while the request waited");
    }
  }

  /** Ends the caller's turn. */
  void end() {
    turn.unlock();
  }

  private void requireOpen(String otherwise) {
    if (closed) {
      throw new IllegalStateException(otherwise);
    }
  }

  /**
   * Refuses all turns from now on, of those who wait too, and runs {@code last} once none is under
   * way; nothing if that has been done.
   */
  void close(Runnable last) {
    closed = true;
    turn.lock();
    try {
      if (!ended) {
        ended = true;
        last.run();
      }
    } finally {
      turn.unlock();
    }
  }
}
