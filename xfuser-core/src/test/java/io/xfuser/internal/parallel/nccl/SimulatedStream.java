package io.xfuser.internal.parallel.nccl;

import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.nccl.SimulatedCommunicator.Call;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Work in the order in which it was enqueued. Guarded by the simulation.
 *
 * @param rank whose GPU it is
 * @param tasks what is not done yet
 */
record SimulatedStream(int rank, Queue<Task> tasks) {
  SimulatedStream(int rank) {
    this(rank, new ArrayDeque<>());
  }

  /** Does what can be done; whether that is anything. */
  boolean advance() {
    boolean moved = false;
    while (!tasks.isEmpty() && tasks.element().advance()) {
      tasks.remove();
      moved = true;
    }
    return moved;
  }

  /** What does not go on. */
  Stream<String> stuck() {
    return tasks.stream().limit(1).map(head -> "rank " + rank + " is stuck in " + head.describe());
  }

  /** A closed stream's work goes on; after an abort only events are left of it. */
  void flush() {
    for (Task task : tasks) {
      boolean unused = task.advance();
    }
  }

  /** A rank's end of a communicator. */
  static final class Member {
    final SimulatedCommunicator shared;
    final int place;
    long stream;
    boolean aborted;

    Member(SimulatedCommunicator shared, int place) {
      this.shared = shared;
      this.place = place;
    }

    void requireOpen() {
      if (aborted) {
        throw new CommunicationException("NCCL: aborted");
      }
    }
  }

  /** Something enqueued. */
  interface Task {
    /** Goes on; whether it is done. */
    boolean advance();

    String describe();
  }

  record Await(Set<Long> pending, long event) implements Task {
    @Override
    public boolean advance() {
      return !pending.contains(event);
    }

    @Override
    public String describe() {
      return "waiting for an event";
    }
  }

  record Complete(Set<Long> pending, long event) implements Task {
    @Override
    public boolean advance() {
      pending.remove(event);
      return true;
    }

    @Override
    public String describe() {
      return "an event";
    }
  }

  /** Calls between a group's start and end. */
  static final class GroupTask implements Task {
    private final Member member;
    private final List<Call> calls;
    private boolean started;

    GroupTask(Member member, List<Call> calls) {
      this.member = member;
      this.calls = calls;
    }

    @Override
    public boolean advance() {
      if (!started && !member.aborted) {
        started = true;
        calls.forEach(member.shared::start);
      }
      return member.aborted || calls.stream().allMatch(call -> call.done);
    }

    @Override
    public String describe() {
      return calls.stream()
          .filter(call -> !call.done)
          .map(member.shared::describe)
          .toList()
          .toString();
    }
  }
}
