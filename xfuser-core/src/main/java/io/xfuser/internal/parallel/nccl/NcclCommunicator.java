package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Mailboxes;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * One NCCL communicator and the stream that its work is enqueued in. Any thread may call; work
 * keeps the order of the calls. NCCL's calls may block, for other ranks too: no lock is held
 * meanwhile, so that another thread can abort.
 */
final class NcclCommunicator {
  /** How long an abort waits for a call to return before it interrupts that call. */
  private static final Duration CALL = Duration.ofMillis(200);

  private final Peers peers;
  private final NcclLibrary library;
  private final long stream;
  private final Duration timeout;
  private final Runnable check;
  private final long communicator;
  private final Queue<Flight> flights = new ArrayDeque<>();
  private @Nullable Inside inside;
  private boolean ended; // no call begins any more
  private boolean gone; // closed, or aborted

  /**
   * A call of NCCL's that has not returned.
   *
   * @param operation what it is, as the message of a failure tells it
   */
  private record Inside(String operation, long began) {}

  /**
   * Over what NCCL has opened.
   *
   * @param check throws what has ended the request or the world
   */
  NcclCommunicator(Peers peers, long communicator, Line line, Runnable check) {
    this.peers = peers;
    this.library = line.library();
    this.stream = line.stream();
    this.timeout = line.timeout();
    this.check = check;
    this.communicator = communicator;
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

    String late(String operation, Duration timeout) {
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
    library.enter();
    try {
      begin(operation);
    } catch (RuntimeException e) {
      library.closeEvent(ready);
      throw e;
    }
    try {
      try {
        library.await(stream, ready);
      } finally {
        library.closeEvent(ready);
      }
      library.groupStart();
      try {
        calls.on(communicator, stream);
      } finally {
        library.groupEnd(); // the first use of a pair of ranks connects them
      }
      return flown(operation, library.record(stream), tensors);
    } catch (CommunicationException e) {
      requireOpen(); // an abort has a reason of its own
      throw e;
    } finally {
      end();
    }
  }

  private synchronized Flight flown(String operation, long event, List<NDArray> tensors) {
    if (ended) {
      library.closeEvent(event);
    }
    requireOpen();
    Flight flight = new Flight(operation, event, tensors);
    flights.add(flight);
    return flight;
  }

  private synchronized void begin(String operation) {
    while (inside != null && !ended) {
      pause(CALL.toMillis());
    }
    requireOpen();
    inside = new Inside(operation, System.nanoTime());
  }

  private synchronized void end() {
    inside = null;
    notifyAll();
  }

  @SuppressWarnings("WaitNotInLoop") // the caller has the loop
  private void pause(long millis) {
    try {
      wait(Math.max(1, millis));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException("interrupted while waiting for other ranks", e);
    }
  }

  /** Lets libtorch's stream wait for the end of {@code flight}; the calling thread goes on. */
  void before(Flight flight) {
    synchronized (this) {
      requireOpen();
      if (!flight.hold()) {
        return;
      }
    }
    try {
      library.enter();
      flight.before(library); // waits where the stream is full
    } finally {
      synchronized (this) {
        flight.release();
      }
    }
  }

  private synchronized void requireOpen() {
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
    library.check(communicator);
    Inside call = inside;
    if (call != null && System.nanoTime() - call.began() > timeout.toNanos()) {
      throw new CommunicationException(peers.late(call.operation(), timeout));
    }
    while (!flights.isEmpty()
        && flights.element().isFree()
        && flights.element().completed(library)) {
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

  /** Ends the communicator once nothing is under way; may wait for the other ranks. */
  void close() {
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
    }
    try {
      library.enter();
      library.close(communicator);
      synchronized (this) {
        gone = true;
      }
    } catch (RuntimeException | Error e) {
      abort(); // its work has completed, so nothing is lost
    }
  }

  /** Ends the communicator at once, and a call that blocks, {@link #close} too. */
  void abort() {
    synchronized (this) {
      if (gone) {
        return;
      }
      gone = true;
      ended = true;
      long deadline = System.nanoTime() + CALL.toNanos();
      while (inside != null && System.nanoTime() < deadline) {
        await(deadline);
      }
    }
    library.abort(communicator);
  }

  @SuppressWarnings("WaitNotInLoop") // the callers have the loop
  private void await(long deadline) {
    try {
      wait(Math.min(2, Math.max(1, (deadline - System.nanoTime()) / 1_000_000)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the abort must not be left out
    }
  }

  /**
   * Releases all tensors, once the kernels that use them have ended or at {@code deadline}, a time
   * of {@link System#nanoTime}. All communicators of the stream have been aborted.
   */
  synchronized void release(long deadline) {
    for (Flight flight : flights) {
      while (!(over(flight) && flight.isFree()) && System.nanoTime() < deadline) {
        await(deadline);
      }
      flight.land(library);
    }
    flights.clear();
  }

  private boolean over(Flight flight) {
    try {
      library.enter();
      return flight.completed(library);
    } catch (CommunicationException e) {
      return true; // the GPU has failed, no kernel goes on
    }
  }
}
