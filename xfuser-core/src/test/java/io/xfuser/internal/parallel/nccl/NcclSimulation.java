package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.nccl.SimulatedCommunicator.Call;
import io.xfuser.internal.parallel.nccl.SimulatedStream.Await;
import io.xfuser.internal.parallel.nccl.SimulatedStream.Complete;
import io.xfuser.internal.parallel.nccl.SimulatedStream.GroupTask;
import io.xfuser.internal.parallel.nccl.SimulatedStream.Member;
import io.xfuser.internal.parallel.nccl.SimulatedStream.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * NCCL and CUDA for all ranks of a test, on CPU tensors. Work waits in streams as it does on a GPU:
 * in the order enqueued, for events, and for the other ranks; what is sent and what is received
 * must meet with the same type and count. Computing is the caller's own thread, which therefore
 * blocks where a GPU's stream would. {@link #check} tells what never met its counterpart and what
 * was not released.
 */
public final class NcclSimulation {
  static final long COMPUTE = 1;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final boolean late;
  private final Map<String, SimulatedCommunicator> byId = new HashMap<>();
  private final Map<Long, Member> members = new TreeMap<>();
  private final Map<Long, SimulatedStream> streams = new TreeMap<>();
  private final Set<Long> pendingEvents = new HashSet<>();
  private final Set<Long> events = new HashSet<>();
  private final Set<Long> computed = new HashSet<>(); // events of what is computed
  private final Set<Long> ordered = new HashSet<>(); // streams that waited for one of these since
  private final Set<Long> closed = new HashSet<>(); // communicators
  private final List<String> problems = new ArrayList<>();
  private final Set<Integer> frozen = new HashSet<>();
  private final Set<Integer> blocked = new HashSet<>();
  private final Map<SimulatedCommunicator.Kind, Integer> calls = new TreeMap<>();
  private int opened;
  private volatile boolean checked;
  private long handles = COMPUTE;

  /**
   * With nothing open.
   *
   * @param late whether work is done some time after it was enqueued, by another thread, rather
   *     than as soon as it can
   */
  public NcclSimulation(boolean late) {
    this.late = late;
    if (late) {
      Thread gpu = new Thread(this::work, "simulated-gpu");
      gpu.setDaemon(true);
      gpu.start();
    }
  }

  /** The world of the rank of {@code control}, which carries what NCCL does not. */
  public World world(Transport control) {
    return NcclWorld.over(control, library(control.rank()), TIMEOUT);
  }

  /** The library as {@code rank} sees it. */
  NcclLibrary library(int rank) {
    return new SimulatedLibrary(this, rank);
  }

  /** How many calls of a kind ranks have made. */
  synchronized int calls(SimulatedCommunicator.Kind kind) {
    return calls.getOrDefault(kind, 0);
  }

  /** Communicators opened so far. */
  public synchronized int opened() {
    return opened;
  }

  /** Asserts that all work met its counterpart, and that everything was released. */
  public synchronized void check() {
    checked = true;
    advance();
    members.values().forEach(this::note);
    assertThat(problems).as("what went wrong").isEmpty();
    assertThat(stuck()).as("what waits for ever").isEmpty();
    assertThat(members).as("open communicators").isEmpty();
    assertThat(streams).as("open streams").isEmpty();
    assertThat(events).as("open events").isEmpty();
  }

  /** Lets the GPU of {@code rank} do nothing from now on. */
  synchronized void freeze(int rank) {
    frozen.add(rank);
  }

  /** What heads each stream, and does not go on. */
  synchronized List<String> stuck() {
    return streams.values().stream().flatMap(SimulatedStream::stuck).toList();
  }

  private void work() {
    while (!checked) {
      LockSupport.parkNanos(1_000_000);
      advance();
    }
  }

  private synchronized void advance() {
    boolean moved = true;
    while (moved) {
      moved = false;
      for (SimulatedStream stream : streams.values()) {
        moved |= !frozen.contains(stream.rank()) && stream.advance();
      }
    }
    notifyAll();
  }

  private void enqueue(long stream, Task task) {
    SimulatedStream target = streams.get(stream);
    if (target == null) {
      problems.add("work in a stream that is closed: " + task.describe());
    } else {
      target.tasks().add(task);
      if (!late) {
        advance();
      }
    }
  }

  private void note(Member member) {
    String problem = member.shared.problem();
    if (problem != null && !problems.contains(problem)) {
      problems.add(problem);
    }
  }

  synchronized void complain(String problem) {
    problems.add(problem);
  }

  synchronized long open(int rank, String id, int size, int place) {
    SimulatedCommunicator shared = byId.computeIfAbsent(id, key -> new SimulatedCommunicator(size));
    shared.join(rank, place, size);
    notifyAll();
    while (!shared.complete()) {
      block();
    }
    opened++;
    members.put(++handles, new Member(shared, place));
    return handles;
  }

  @SuppressWarnings("WaitNotInLoop") // the callers have the loops
  private void block() {
    if (checked) {
      throw new CommunicationException("the test is over");
    }
    try {
      wait(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted: " + stuck(), e);
    }
  }

  synchronized void awaitClosed() {
    while (!members.isEmpty()) {
      block();
    }
  }

  /** Lets calls of {@code rank} block from now on, as where another rank does not connect. */
  synchronized void block(int rank) {
    blocked.add(rank);
  }

  synchronized boolean failed(long communicator) {
    note(member(communicator));
    return member(communicator).shared.problem() != null;
  }

  private Member member(long communicator) {
    Member member = members.get(communicator);
    if (member == null) {
      throw new AssertionError("a communicator is used after its end");
    }
    return member;
  }

  synchronized void close(int rank, long communicator) {
    Member member = member(communicator);
    pass(rank, member);
    SimulatedStream used = streams.get(member.stream);
    if (used != null && !used.tasks().isEmpty()) {
      problems.add("a communicator is closed while work is under way");
    }
    abort(communicator);
    closed.add(communicator);
  }

  synchronized void abort(long communicator) {
    if (!closed.contains(communicator)) {
      Member member = member(communicator);
      note(member);
      member.aborted = true;
      members.remove(communicator);
      advance();
    }
  }

  private void pass(int rank, Member member) {
    while (blocked.contains(rank)) {
      member.requireOpen();
      block();
    }
  }

  synchronized void group(int rank, long communicator, long stream, List<Call> group) {
    Member member = member(communicator);
    pass(rank, member);
    if (member.stream != 0 && member.stream != stream) {
      problems.add("a communicator is used in two streams");
    }
    if (!ordered.remove(stream)) {
      problems.add("a group that does not wait for what is computed before it");
    }
    member.stream = stream;
    group.forEach(call -> calls.merge(call.kind, 1, Integer::sum));
    enqueue(stream, new GroupTask(member, group));
  }

  synchronized int place(long communicator) {
    return member(communicator).place;
  }

  synchronized long newStream(int rank) {
    streams.put(++handles, new SimulatedStream(rank));
    return handles;
  }

  synchronized void closeStream(long stream) {
    SimulatedStream closed = streams.remove(stream);
    if (closed == null) {
      problems.add("a stream is closed twice");
    } else {
      closed.flush();
    }
  }

  synchronized long record(long stream) {
    long event = ++handles;
    events.add(event);
    if (stream == COMPUTE) {
      computed.add(event);
    } else {
      pendingEvents.add(event);
      enqueue(stream, new Complete(pendingEvents, event));
    }
    return event;
  }

  /** Blocks the thread where {@code stream} is the one it computes in. */
  synchronized void await(long stream, long event) {
    if (!events.contains(event)) {
      problems.add("waiting for an event that is closed");
    } else if (stream != COMPUTE) {
      if (computed.contains(event)) {
        ordered.add(stream);
      }
      enqueue(stream, new Await(pendingEvents, event));
    } else {
      long deadline = System.nanoTime() + TIMEOUT.toNanos();
      while (pendingEvents.contains(event)) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError("deadlock: " + stuck());
        }
        block();
      }
    }
  }

  synchronized boolean completed(long event) {
    return !pendingEvents.contains(event);
  }

  synchronized void closeEvent(long event) {
    if (!events.remove(event)) {
      problems.add("an event is closed twice");
    }
  }
}
