package io.xfuser.internal.trace;

import io.xfuser.trace.RankTrace;
import io.xfuser.trace.RunTrace;
import io.xfuser.trace.TraceEvent;
import java.util.ArrayList;
import java.util.List;

/**
 * One rank's events on its own clock, as it hands them to the others.
 *
 * @param machine the name of its machine
 * @param clock to compare with the other ranks'
 * @param events what it did
 */
public record RankEvents(String machine, ClockReadings clock, List<TraceEvent> events) {
  /** Those of all ranks, in order of rank, on one clock: rank 0's, from the first event on. */
  public static RunTrace together(List<RankEvents> all) {
    List<RankTrace> ranks = new ArrayList<>();
    for (RankEvents rank : all) {
      ClockReadings.Offset offset = rank.clock().minus(all.get(0).clock());
      ranks.add(
          new RankTrace(ranks.size(), rank.machine(), offset.error(), rank.events())
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
}
