package io.xfuser.trace;

import java.util.ArrayList;
import java.util.List;

/**
 * What all ranks did in one request, on one clock that begins with the first event.
 *
 * @param ranks in order of rank
 */
public record RunTrace(List<RankTrace> ranks) {
  /** Copies the list. */
  public RunTrace {
    ranks = List.copyOf(ranks);
  }

  /**
   * One rank's events on its own clock, as it hands them to the others.
   *
   * @param machine the name of its machine
   * @param clock to compare with the other ranks'
   * @param events what it did
   */
  public record RankEvents(String machine, ClockReadings clock, List<TraceEvent> events) {}

  /** From the parts of all ranks, in order of rank; rank 0's clock is the one that counts. */
  public static RunTrace of(List<RankEvents> parts) {
    List<RankTrace> ranks = new ArrayList<>();
    for (RankEvents part : parts) {
      ClockReadings.Offset offset = part.clock().minus(parts.get(0).clock());
      ranks.add(
          new RankTrace(ranks.size(), part.machine(), offset.error(), part.events())
              .since(offset.nanos()));
    }
    long origin =
        ranks.stream()
            .flatMap(rank -> rank.events().stream())
            .mapToLong(TraceEvent::start)
            .min()
            .orElse(0);
    return new RunTrace(ranks.stream().map(rank -> rank.since(origin)).toList());
  }

  /** Nanoseconds from the first event's begin to the last one's end. */
  public long nanos() {
    return ranks.stream()
        .flatMap(rank -> rank.events().stream())
        .mapToLong(TraceEvent::end)
        .max()
        .orElse(0);
  }

  /** In Chrome's trace event format, which Perfetto and {@code chrome://tracing} open. */
  public String toJson() {
    return ChromeTrace.json(this);
  }
}
