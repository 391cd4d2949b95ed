package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Mailboxes.Route;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One direction between two ranks: its own communicator, stream and thread. Were two directions, or
 * a rank's receives and sends, in one stream, a receive would wait behind the send of what is still
 * being computed, and stages would take turns; and two stages that send to one another would wait
 * for ever. The thread opens the communicator, waits for announcements and enqueues, so that the
 * rank's own thread never waits for a receiver, and what is announced early travels while the rank
 * computes.
 */
final class Edge {
  private final NcclTransport ranks;
  private final NcclLibrary library;
  private final Route route;
  private final NcclTransport.Lane lane;
  private final ExecutorService thread;
  private boolean named; // the id has been announced; the rank's thread
  private @Nullable NcclCommunicator communicator; // this edge's thread

  Edge(NcclTransport ranks, NcclLibrary library, Route route, long generation) {
    if (route.from() == route.to()) {
      throw new IllegalArgumentException(
          "rank %d sends to itself in %s".formatted(route.from(), route.channel().label()));
    }
    this.ranks = ranks;
    this.library = library;
    this.route = route;
    library.enter();
    this.lane = new NcclTransport.Lane(library.newStream(), generation);
    String name =
        "xfuser-rank%d-%s-%d-to-%d"
            .formatted(ranks.rank(), route.channel().label(), route.from(), route.to());
    this.thread = Executors.newSingleThreadExecutor(task -> NcclTransport.daemon(name, task));
  }

  /** Sends; returns at once. */
  void send(List<NDArray> tensors) {
    try (NDManager scope = Torch.newManager()) {
      List<NDArray> whole = tensors.stream().map(x -> Torch.contiguous(scope, x)).toList();
      Announcement plain = Announcement.of(whole, library::carries, null);
      if (!plain.carried()) {
        ranks.send(route.channel(), route.to(), plain.message(scope, 0));
        return;
      }
      library.enter();
      String id = named ? null : library.newId();
      named = true;
      Announcement word = new Announcement(plain.entries(), id);
      ranks.send(route.channel(), route.to(), word.message(scope, 0));
      List<SharedTensor> handles =
          ReceiveBuffers.carried(whole, library).stream().map(SharedTensor::of).toList();
      long ready = ranks.ready(); // now: later the stream would wait for the next computation too
      Transmission next = new Transmission(id, handles, ready);
      try {
        submit(next);
      } catch (RuntimeException e) {
        next.discard();
        throw e;
      }
    }
  }

  /** A send that waits for its turn. */
  private final class Transmission implements Runnable {
    private final @Nullable String id;
    private final List<SharedTensor> handles;
    private final long ready;

    Transmission(@Nullable String id, List<SharedTensor> handles, long ready) {
      this.id = id;
      this.handles = handles;
      this.ready = ready;
    }

    @Override
    public void run() {
      try (NDManager scope = Torch.newManager()) {
        transmit(handles.stream().map(x -> x.receive(scope)).toList());
      } catch (RuntimeException | Error e) {
        ranks.failed(lane, e); // nobody awaits a send
      }
    }

    private void transmit(List<NDArray> tensors) {
      NcclCommunicator to;
      try {
        to = open(id, 0);
      } catch (RuntimeException | Error e) {
        library.closeEvent(ready);
        throw e;
      }
      if (tensors.isEmpty()) {
        library.closeEvent(ready);
        return;
      }
      to.enqueue(
          named("send"),
          ready,
          tensors,
          (communicator, on) -> tensors.forEach(x -> library.send(x, 1, communicator, on)));
    }

    private void discard() {
      handles.forEach(SharedTensor::close);
      library.closeEvent(ready);
    }
  }

  /** Posts a receive; returns at once. */
  Pending receive() {
    Pending word = ranks.receive(route.channel(), route.from(), "receive");
    CompletableFuture<Pending> buffer =
        CompletableFuture.supplyAsync(() -> land(word), this::submit);
    return owner -> await(buffer).await(owner);
  }

  private Pending land(Pending word) {
    try (NDManager scope = Torch.newManager()) {
      Announcement announced = Announcement.read(word.await(scope));
      ReceiveBuffers buffer = ReceiveBuffers.of(scope, announced, library);
      if (!announced.carried()) {
        return buffer.pending(null, null);
      }
      NcclCommunicator open = open(announced.id(), 1);
      List<NDArray> carried = buffer.carried();
      Flight flight =
          carried.isEmpty()
              ? null
              : open.enqueue(
                  named("receive"),
                  ranks.ready(),
                  carried,
                  (communicator, on) ->
                      carried.forEach(x -> library.receive(x, 0, communicator, on)));
      return buffer.pending(open, flight);
    }
  }

  private NcclCommunicator open(@Nullable String id, int place) {
    if (id != null) {
      NcclCommunicator.Peers peers =
          new NcclCommunicator.Peers(List.of(route.from(), route.to()), place);
      communicator = ranks.open(named("opening"), peers, id, lane);
    }
    return Objects.requireNonNull(
        communicator, () -> "no id came with the first message on " + route);
  }

  private void submit(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) { // everything was dropped
      ranks.check();
      throw new CommunicationException("the request is over", e);
    }
  }

  private String named(String operation) {
    return route.channel().label() + " " + operation;
  }

  private Pending await(CompletableFuture<Pending> buffer) {
    while (true) {
      try {
        return buffer.get(100, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        ranks.check();
      } catch (ExecutionException e) {
        Throwable cause = e.getCause();
        throw cause instanceof RuntimeException reason ? reason : new CompletionException(cause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted while waiting for a message", e);
      }
    }
  }

  /** Waits until everything sent is enqueued; whether it is. */
  boolean finish(long millis) {
    thread.shutdown();
    try {
      return thread.awaitTermination(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Ends the thread and the stream, after the communicator. */
  void close() {
    for (Runnable waiting : thread.shutdownNow()) {
      if (waiting instanceof Transmission send) {
        send.discard();
      }
    }
    library.closeStream(lane.stream());
  }
}
