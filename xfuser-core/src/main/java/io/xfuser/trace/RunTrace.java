package io.xfuser.trace;

import java.util.List;

/**
 * What all ranks did in one request, on one clock that begins with the first event.
 *
 * @param ranks in order of rank
 */
public record RunTrace(List<RankTrace> ranks) {
  public RunTrace {
    ranks = List.copyOf(ranks);
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
