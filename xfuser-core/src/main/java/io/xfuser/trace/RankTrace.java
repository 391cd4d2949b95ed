package io.xfuser.trace;

import java.util.List;

/**
 * What one rank did.
 *
 * @param rank the rank
 * @param machine the name of its machine
 * @param clockError by how many nanoseconds its times may be wrong against those of rank 0
 * @param events in the order in which they ended; one that is part of another one lies within it
 */
public record RankTrace(int rank, String machine, long clockError, List<TraceEvent> events) {
  public RankTrace {
    events = List.copyOf(events);
  }

  /** The same with times since {@code origin}. */
  public RankTrace since(long origin) {
    return new RankTrace(
        rank, machine, clockError, events.stream().map(event -> event.earlier(origin)).toList());
  }
}
