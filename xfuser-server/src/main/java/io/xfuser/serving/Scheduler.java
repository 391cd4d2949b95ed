package io.xfuser.serving;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Decides who runs on how many ranks: says what to pause and what to start, and does neither. The
 * server and the simulation have the same one.
 */
public final class Scheduler {
  private final Policy policy;
  private final Policy.Ranks ranks;
  private final int degree;

  /**
   * For ranks of one model.
   *
   * @param count all ranks
   * @param degree ranks of each request, where the policy does not choose; at most {@code count}
   * @param times how long steps take
   */
  public Scheduler(Policy policy, int count, int degree, StepTimes times) {
    if (degree < 1 || degree > count) {
      throw new IllegalArgumentException(degree + " ranks for each request, of " + count);
    }
    this.policy = policy;
    this.ranks = new Policy.Ranks(count, times);
    this.degree = degree;
  }

  /**
   * What is to be done.
   *
   * @param pause works that run and shall stop after their step
   * @param start what begins or goes on now; there are ranks for all of it
   */
  public record Commands(List<Work> pause, List<Grant> start) {
    /** Copies are kept. */
    public Commands {
      pause = List.copyOf(pause);
      start = List.copyOf(start);
    }
  }

  /** What is to be done {@code now}, with all works that are not over. */
  public Commands decide(double now, List<Work> works) {
    int free = ranks.count() - works.stream().mapToInt(Work::degree).sum();
    List<Grant> start = new ArrayList<>();
    Set<Long> goOn = new HashSet<>();
    for (Grant grant : policy.grants(now, works, ranks, degree)) {
      Work first = grant.works().get(0);
      if (first.runs()) {
        if (first.degree() == grant.degree()) {
          goOn.add(first.id());
        }
      } else if (grant.degree() <= free) {
        free -= grant.degree();
        start.add(grant);
      }
    }
    List<Work> pause =
        works.stream()
            .filter(work -> work.runs() && !work.stopping() && !goOn.contains(work.id()))
            .toList();
    return new Commands(pause, start);
  }
}
