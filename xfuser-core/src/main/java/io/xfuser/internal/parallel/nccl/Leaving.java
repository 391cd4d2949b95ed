package io.xfuser.internal.parallel.nccl;

import java.time.Duration;
import java.util.List;

/**
 * How a rank leaves in order: what it has sent is taken, then its communicators are closed.
 *
 * @param edges in which it may be sending
 * @param communicators those of edges and groups
 */
record Leaving(NcclLibrary library, List<Edge> edges, List<NcclCommunicator> communicators) {
  /** How long what is under way may take. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final long LOOK_MILLIS = 20;

  /**
   * Whether all that was sent has been taken, after waiting for it.
   *
   * @param check throws if the request or the world has ended
   */
  boolean finished(Runnable check) {
    long deadline = System.nanoTime() + GRACE.toNanos();
    try {
      boolean done = false;
      while (!done && System.nanoTime() < deadline) {
        check.run();
        done = edges.stream().allMatch(edge -> edge.finish(LOOK_MILLIS)) && idle();
      }
      return done;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private boolean idle() {
    if (!communicators.isEmpty()) {
      library.enter();
    }
    return communicators.stream().allMatch(NcclCommunicator::idle);
  }

  /** Closes all communicators, which may wait for other ranks; whether that took not too long. */
  boolean closed() {
    Thread closing =
        NcclTransport.daemon(
            "xfuser-closing", () -> communicators.forEach(NcclCommunicator::close));
    closing.start();
    try {
      closing.join(GRACE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return !closing.isAlive();
  }
}
