package io.xfuser.pipeline;

import io.xfuser.trace.Trace;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;

/** Who watches one request in this JVM, and what its ranks here are doing. */
final class RequestWatch {
  private static final String STARTING = "starting";

  private final StepListener listener;
  private final boolean traces;
  private final ReentrantLock telling = new ReentrantLock();
  private final Map<Progress.Phase, Integer> tellers = new ConcurrentHashMap<>();
  private final ConcurrentSkipListMap<Integer, String> activities = new ConcurrentSkipListMap<>();

  /**
   * Of all ranks together, and of each.
   *
   * @param listener is told of every step
   * @param traces whether what each rank does is recorded
   */
  RequestWatch(StepListener listener, boolean traces) {
    this.listener = listener;
    this.traces = traces;
  }

  boolean traces() {
    return traces;
  }

  /** What a rank records; called once for each. */
  Trace trace() {
    return traces ? Trace.recording() : Trace.OFF;
  }

  /** Tells of a step; whether to go on. */
  boolean stepTaken(int step, int steps) {
    telling.lock();
    try {
      return listener.stepTaken(step, steps);
    } finally {
      telling.unlock();
    }
  }

  /** Tells of another phase, if {@code rank} is the first here to come to it; whether to go on. */
  boolean progressed(int rank, Progress progress) {
    if (tellers.computeIfAbsent(progress.phase(), phase -> rank) != rank) {
      return true;
    }
    telling.lock();
    try {
      return listener.progressed(progress);
    } finally {
      telling.unlock();
    }
  }

  /** What the first of the ranks here does. */
  String activity() {
    var first = activities.firstEntry();
    return first == null ? STARTING : first.getValue();
  }

  /** What {@code rank} does. */
  String activity(int rank) {
    return activities.getOrDefault(rank, STARTING);
  }

  /** {@code rank} does {@code what} from now on. */
  void activity(int rank, String what) {
    activities.put(rank, what);
  }
}
