package io.xfuser.pipeline;

import io.xfuser.trace.Trace;
import java.util.concurrent.atomic.AtomicInteger;

/** Who watches one request in this JVM, and what the first of its ranks here is doing. */
final class RequestWatch {
  private static final int NOBODY = Integer.MAX_VALUE;

  private final StepListener listener;
  private final boolean traces;
  private final AtomicInteger first = new AtomicInteger(NOBODY);
  private volatile String activity = "starting";

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
    return activity;
  }

  /** {@code rank} does {@code what} from now on. */
  void activity(int rank, String what) {
    if (first.accumulateAndGet(rank, Math::min) == rank) {
      activity = what;
    }
  }
}
