package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Exchange;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Group;
import io.xfuser.internal.parallel.Mailboxes.Route;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One rank's NCCL communicators, over the transport beneath, which carries announcements, ids and
 * failures. Communicators are opened when first needed and kept from request to request: one for
 * each set of ranks that work together, and one for each direction in which single ranks send. If a
 * request is cancelled or a rank fails they are aborted, so that no kernel waits for ever; the next
 * request opens new ones. That all ranks do so alike is sure because a request returns on all ranks
 * or on none.
 */
final class NcclTransport extends ForwardingTransport {
  private static final long TICK_MILLIS = 20;

  /** How long kernels may take to see that they were aborted. */
  private static final Duration ABORT = Duration.ofSeconds(1);

  private final NcclLibrary library;
  private final Duration timeout;
  private final ScheduledExecutorService watch;
  private final Map<List<Integer>, NcclCommunicator> groups = new HashMap<>();
  private final Map<Route, Edge> edges = new HashMap<>();
  private final List<NcclCommunicator> communicators =
      new ArrayList<>(); // those of groups and edges
  private final StepRounds rounds = new StepRounds();
  private @Nullable Long stream; // of all groups: their rounds keep their order
  private long generation;

  /**
   * Over {@code control}.
   *
   * @param timeout how long NCCL's work may take before it counts as failed
   */
  NcclTransport(Transport control, NcclLibrary library, Duration timeout) {
    super(control);
    this.library = library;
    this.timeout = timeout;
    this.watch =
        Executors.newSingleThreadScheduledExecutor(
            task -> daemon("xfuser-rank" + control.rank() + "-nccl", task));
    var unused =
        watch.scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  static Thread daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    return thread;
  }

  Exchange exchange(Group group) {
    return new NcclExchange(this, library, group);
  }

  /** The rounds that {@code group} has played in this request. */
  GroupRounds rounds(Group group) {
    return rounds.of(group);
  }

  /** First compares what the step before repeated. */
  @Override
  public void step(@Nullable String kind) {
    new Comparison(this, rounds.due()).run();
    rounds.enter(kind);
    super.step(kind);
  }

  /** An event of libtorch's stream, as it is now. */
  long ready() {
    library.enter();
    return library.record(library.computeStream());
  }

  /** The communicator of {@code group}; all its ranks ask for it in the same round. */
  NcclCommunicator communicator(Group group) {
    synchronized (this) {
      NcclCommunicator known = groups.get(group.members());
      if (known != null) {
        return known;
      }
    }
    NcclCommunicator.Peers peers = new NcclCommunicator.Peers(group.members(), group.rank());
    Lane lane = lane();
    NcclCommunicator opened = open(group.channel().label() + " opening", peers, agree(group), lane);
    synchronized (this) {
      if (lane.generation() == generation) { // else it was dropped meanwhile
        groups.put(group.members(), opened);
      }
    }
    return opened;
  }

  private synchronized Lane lane() {
    Long known = stream;
    if (known == null) {
      library.enter();
      known = library.newStream();
      stream = known;
    }
    return new Lane(known, generation);
  }

  private String agree(Group group) {
    try (NDManager scope = Torch.newManager()) {
      if (group.rank() > 0) {
        return Announcement.id(
            receive(group.channel(), group.members().get(0), "opening")
                .await(scope)
                .singletonOrThrow());
      }
      library.enter();
      String id = library.newId();
      NDArray message = Announcement.tensor(scope, id);
      group
          .peers()
          .forEach(peer -> send(group.channel(), group.members().get(peer), List.of(message)));
      return id;
    }
  }

  /**
   * Opens a communicator and waits for its other ranks to do so.
   *
   * @param operation what it is, as the message of a failure tells it
   */
  NcclCommunicator open(String operation, NcclCommunicator.Peers peers, String id, Lane lane) {
    requireCurrent(lane);
    long opened = new Opening(library, peers, timeout, this::check).await(id, operation);
    synchronized (this) {
      if (lane.generation() == generation) {
        NcclCommunicator.Line line = new NcclCommunicator.Line(library, lane.stream(), timeout);
        NcclCommunicator communicator = new NcclCommunicator(peers, opened, line, this::check);
        communicators.add(communicator);
        return communicator;
      }
    }
    library.abort(opened);
    requireCurrent(lane);
    throw new IllegalStateException("a lane came back"); // generations only grow
  }

  private void requireCurrent(Lane lane) {
    synchronized (this) {
      if (lane.generation() == generation) {
        return;
      }
    }
    check(); // its stream is closed
    throw new CommunicationException("the request is over");
  }

  /**
   * A stream.
   *
   * @param generation how often everything had been dropped when it was made
   */
  record Lane(long stream, long generation) {}

  /** The direction between two ranks of {@code group}, one of which is this. */
  synchronized Edge edge(Group group, int from, int to) {
    Route route = new Route(group.channel(), group.members().get(from), group.members().get(to));
    return edges.computeIfAbsent(route, key -> new Edge(this, library, key, generation));
  }

  /** Releases what has completed; ends everything if the request or NCCL has failed. */
  private void tick() {
    try {
      synchronized (this) {
        if (communicators.isEmpty()) {
          return;
        }
        if (over()) {
          drop();
          return;
        }
        library.enter();
        communicators.forEach(NcclCommunicator::poll);
      }
      rounds.look(each -> Comparison.tellEarly(this, each));
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  private synchronized List<NcclCommunicator> opened() {
    return List.copyOf(communicators);
  }

  private boolean over() {
    try {
      check();
      return false;
    } catch (RuntimeException e) {
      return true;
    }
  }

  private synchronized void drop() {
    communicators.forEach(NcclCommunicator::abort);
    long deadline = System.nanoTime() + ABORT.toNanos();
    communicators.forEach(communicator -> communicator.release(deadline));
    end();
  }

  private void end() {
    generation++; // what is opening is not wanted any more
    edges.values().forEach(Edge::close);
    if (stream != null) {
      library.closeStream(stream);
    }
    stream = null;
    edges.clear();
    communicators.clear();
    groups.clear();
  }

  @Override
  public synchronized void begin() {
    rounds.clear(); // before the next request begins
    if (over()) {
      drop();
    }
    super.begin();
  }

  @Override
  public void cancel(String reason) {
    super.cancel(reason);
    drop();
  }

  @Override
  public void fail(Throwable cause) {
    super.fail(cause);
    if (!(cause instanceof MismatchException)) { // no work of NCCL's had begun
      drop();
    }
  }

  /** Tells that work in {@code lane} has failed, unless it was dropped. */
  void failed(Lane lane, Throwable cause) {
    synchronized (this) {
      if (lane.generation() != generation) {
        return;
      }
    }
    fail(cause);
  }

  @Override
  public void close() {
    watch.shutdownNow();
    try {
      Leaving leaving;
      synchronized (this) {
        leaving = new Leaving(library, List.copyOf(edges.values()), this::opened, timeout);
      }
      if (leaving.finished(this::check) && leaving.closed(this::check)) {
        synchronized (this) {
          end();
        }
      } else {
        drop();
      }
    } finally {
      super.close();
    }
  }
}
