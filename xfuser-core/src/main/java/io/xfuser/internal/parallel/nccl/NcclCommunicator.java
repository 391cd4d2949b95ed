package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Mailboxes;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * One NCCL communicator and the stream that its work is enqueued in. Any thread may call; work
 * keeps the order of the calls.
 */
final class NcclCommunicator {
  private final Peers peers;
  private final NcclLibrary library;
  private final long stream;
  private final Duration timeout;
  private final Runnable check;
  private final long communicator;
  private final Queue<Flight> flights = new ArrayDeque<>();
  private boolean ended;

  /**
   * Opens the communicator; {@link #settle} waits for the others.
   *
   * @param check throws what has ended the request or the world
   */
  NcclCommunicator(Peers peers, String id, Line line, Runnable check) {
    this.peers = peers;
    this.library = line.library();
    this.stream = line.stream();
    this.timeout = line.timeout();
    this.check = check;
    library.enter();
    this.communicator = library.open(id, peers.ranks().size(), peers.place());
  }

  /**
   * Who is connected.
   *
   * @param ranks their ranks in the world; a place in this list is a rank of the communicator
   * @param place this rank's
   */
  record Peers(List<Integer> ranks, int place) {
    private String others() {
      List<Integer> others = ranks.stream().filter(rank -> !rank.equals(ranks.get(place))).toList();
      return others.size() == 1 ? "rank " + others.get(0) : "ranks " + others;
    }

    private String late(String operation, Duration timeout) {
      return "rank %d waited %s for %s in %s"
          .formatted(ranks.get(place), Mailboxes.seconds(timeout), others(), operation);
    }
  }

  /**
   * Where work goes.
   *
   * @param stream closed by others, after the communicator
   * @param timeout how long work may take before it counts as failed
   */
  record Line(NcclLibrary library, long stream, Duration timeout) {}

  /** What is enqueued together. */
  interface Calls {
    void on(long communicator, long stream);
  }

  /**
   * Enqueues {@code calls} as one group. The order against libtorch's stream is right because
   *
   * <ul>
   *   <li>{@code ready} was recorded there after the kernels that compute what is sent, and after
   *       the memory for what arrives was allocated: its former user's kernels were enqueued
   *       before, since libtorch frees memory in the order of that one stream. Our stream waits for
   *       it, so nothing is read too early or written over too early;
   *   <li>whoever uses what arrives calls {@link #before}, after which libtorch's stream waits for
   *       the end of the group;
   *   <li>the memory is not given back before the group has ended: see {@link Flight}.
   * </ul>
   *
   * @param operation what it is, as the message of a failure tells it
   * @param ready an event of libtorch's stream, released here
   * @param tensors what the calls read and write
   */
  Flight enqueue(String operation, long ready, List<NDArray> tensors, Calls calls) {
    synchronized (this) {
      library.enter();
      try {
        requireOpen();
        library.await(stream, ready);
      } finally {
        library.closeEvent(ready);
      }
      library.groupStart();
      try {
        calls.on(communicator, stream);
      } finally {
        library.groupEnd();
      }
    }
    settle(operation); // the first use of a pair of ranks connects them
    synchronized (this) {
      requireOpen();
      Flight flight = new Flight(operation, library.record(stream), tensors);
      flights.add(flight);
      return flight;
    }
  }

  /**
   * Waits on the calling thread until the last call is enqueued, not until it has completed.
   *
   * @throws CommunicationException if the other ranks do not take part in time
   */
  void settle(String operation) {
    long began = System.nanoTime();
    long waited = 0;
    while (busy()) {
      check.run();
      waited = System.nanoTime() - began;
      if (waited > timeout.toNanos()) {
        throw new CommunicationException(peers.late(operation, timeout));
      }
      pause(waited);
    }
  }

  private static void pause(long waited) {
    if (waited < TimeUnit.MILLISECONDS.toNanos(1)) {
      Thread.onSpinWait();
      return;
    }
    try {
      Thread.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException("interrupted while waiting for other ranks", e);
    }
  }

  private synchronized boolean busy() {
    requireOpen();
    library.enter();
    return library.busy(communicator);
  }

  /** Lets libtorch's stream wait for the end of {@code flight}; the calling thread goes on. */
  synchronized void before(Flight flight) {
    requireOpen();
    library.enter();
    flight.before(library);
  }

  private void requireOpen() {
    if (ended) {
      check.run();
      throw new CommunicationException("the connection to " + peers.others() + " was given up");
    }
  }

  /**
   * Releases what has completed.
   *
   * @throws CommunicationException if NCCL reports an error, or something takes too long
   */
  synchronized void poll() {
    if (ended) {
      return;
    }
    library.busy(communicator); // throws asynchronous errors
    while (!flights.isEmpty() && flights.element().completed(library)) {
      flights.remove().land(library); // a stream completes in order
    }
    Flight oldest = flights.peek();
    if (oldest != null && oldest.nanos() > timeout.toNanos()) {
      throw new CommunicationException(peers.late(oldest.operation(), timeout));
    }
  }

  /** Whether everything has completed. */
  synchronized boolean idle() {
    poll();
    return flights.isEmpty();
  }

  /** Ends the communicator once nothing is under way. */
  synchronized void close() {
    if (!ended) {
      ended = true;
      library.close(communicator);
    }
  }

  /** Ends the communicator at once; {@link #release} follows. */
  synchronized void abort() {
    if (!ended) {
      ended = true;
      library.abort(communicator);
    }
  }

  /**
   * Releases all tensors, once the kernels that use them have ended or at {@code deadline}, a time
   * of {@link System#nanoTime}. All communicators of the stream have been aborted.
   */
  synchronized void release(long deadline) {
    library.enter();
    for (Flight flight : flights) {
      while (!over(flight) && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      flight.land(library);
    }
    flights.clear();
  }

  private boolean over(Flight flight) {
    try {
      return flight.completed(library);
    } catch (CommunicationException e) {
      return true; // the GPU has failed, no kernel goes on
    }
  }
}
