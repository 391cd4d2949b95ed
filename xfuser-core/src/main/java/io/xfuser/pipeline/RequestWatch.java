package io.xfuser.pipeline;

import io.xfuser.trace.Trace;
import java.util.concurrent.ConcurrentSkipListMap;

/** Who watches one request in this JVM, and what its ranks here are doing. */
final class RequestWatch {
  private static final String STARTING = "starting";

  private final StepListener listener;
  private final boolean traces;
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
    return listener.stepTaken(step, steps);
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
