package io.xfuser.internal.runtime;

import io.xfuser.internal.trace.Trace;
import io.xfuser.progress.Progress;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BiConsumer;

/** Who watches one request in this JVM, and what its ranks here are doing. */
public final class RequestWatch {
  private static final String STARTING = "starting";

  private final BiConsumer<Integer, Progress> told;
  private final boolean traces;
  private final ConcurrentSkipListMap<Integer, String> activities = new ConcurrentSkipListMap<>();

  /**
   * Of all ranks together, and of each.
   *
   * @param told hears of each rank's progress, on its thread, and returns at once
   * @param traces whether what each rank does is recorded
   */
  public RequestWatch(BiConsumer<Integer, Progress> told, boolean traces) {
    this.told = told;
    this.traces = traces;
  }

  public boolean traces() {
    return traces;
  }

  /** What a rank records; called once for each. */
  Trace trace() {
    return traces ? Trace.recording() : Trace.OFF;
  }

  /** Says how far {@code rank} is. */
  public void progressed(int rank, Progress progress) {
    told.accept(rank, progress);
  }

  /** What the first of the ranks here does. */
  public String activity() {
    var first = activities.firstEntry();
    return first == null ? STARTING : first.getValue();
  }

  public String activity(int rank) {
    return activities.getOrDefault(rank, STARTING);
  }

  /** {@code rank} does {@code what} from now on. */
  public void activity(int rank, String what) {
    activities.put(rank, what);
  }
}
