package io.xfuser.internal.parallel.nccl;

import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * How a rank leaves in order: what it has sent is taken, then its communicators are closed.
 *
 * @param edges in which it may be sending
 * @param communicators those of edges and groups; edges open more while others take what was sent
 * @param timeout how long NCCL's work may take
 */
record Leaving(
    NcclLibrary library,
    List<Edge> edges,
    Supplier<List<NcclCommunicator>> communicators,
    Duration timeout) {
  /** How long what is under way may take at most. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final long LOOK_MILLIS = 20;

  /**
   * Whether all that was sent has been taken, after waiting for it.
   *
   * @param check throws if the request or the world has ended
   */
  boolean finished(Runnable check) {
    long deadline = System.nanoTime() + grace().toNanos();
    try {
      boolean done = false;
      while (!done && System.nanoTime() < deadline) {
        check.run();
        boolean sent = edges.stream().allMatch(edge -> edge.finish(LOOK_MILLIS));
        done = sent && idle();
        if (sent && !done) {
          Thread.sleep(LOOK_MILLIS); // NCCL's own work is not over
        }
      }
      return done;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private Duration grace() {
    return timeout.compareTo(GRACE) < 0 ? timeout : GRACE;
  }

  private boolean idle() {
    List<NcclCommunicator> all = communicators.get();
    if (!all.isEmpty()) {
      library.enter();
    }
    return all.stream().allMatch(NcclCommunicator::idle);
  }

  /**
   * Closes all communicators, which may wait for other ranks; whether that took not too long.
   *
   * @param check throws if the request or the world has ended
   */
  boolean closed(Runnable check) {
    List<NcclCommunicator> all = communicators.get();
    Thread closing =
        NcclTransport.daemon("xfuser-closing", () -> all.forEach(NcclCommunicator::close));
    closing.start();
    long deadline = System.nanoTime() + grace().toNanos();
    try {
      while (closing.isAlive() && System.nanoTime() < deadline) {
        closing.join(LOOK_MILLIS);
        check.run();
      }
      return !closing.isAlive();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (RuntimeException e) {
      return false;
    }
  }
}
