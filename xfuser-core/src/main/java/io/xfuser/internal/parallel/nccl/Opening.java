package io.xfuser.internal.parallel.nccl;

import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.nccl.NcclCommunicator.Peers;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens a communicator on a thread of its own: NCCL returns only when all its ranks have come, and
 * nothing can safely end it before that. Whoever gives up leaves that thread behind, which ends
 * what it gets after all.
 *
 * @param library opens it
 * @param peers its ranks
 * @param timeout how long they may take
 * @param check throws what has ended the request or the world
 */
record Opening(NcclLibrary library, Peers peers, Duration timeout, Runnable check) {
  private static final long LOOK_MILLIS = 20;

  /**
   * The communicator called {@code id}.
   *
   * @param operation what it is, as the message of a failure tells it
   * @throws CommunicationException if the others do not open it in time
   */
  long await(String id, String operation) {
    CompletableFuture<Long> opened = new CompletableFuture<>();
    NcclTransport.daemon("xfuser-" + operation, () -> open(id, opened)).start();
    try {
      return await(opened, operation);
    } catch (RuntimeException | Error e) {
      if (!opened.completeExceptionally(e) && !opened.isCompletedExceptionally()) {
        library.abort(opened.join()); // it came just now
      }
      throw e;
    }
  }

  private void open(String id, CompletableFuture<Long> opened) {
    try {
      library.enter();
      long communicator = library.open(id, peers.ranks().size(), peers.place());
      if (!opened.complete(communicator)) {
        library.abort(communicator);
      }
    } catch (RuntimeException | Error e) {
      opened.completeExceptionally(e);
    }
  }

  private long await(CompletableFuture<Long> opened, String operation) {
    long began = System.nanoTime();
    while (true) {
      try {
        return opened.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        check.run();
        if (System.nanoTime() - began > timeout.toNanos()) {
          throw new CommunicationException(peers.late(operation, timeout), e);
        }
      } catch (ExecutionException e) {
        Throwable cause = Objects.requireNonNull(e.getCause());
        throw new CommunicationException(String.valueOf(cause.getMessage()), cause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted while waiting for other ranks", e);
      }
    }
  }
}
