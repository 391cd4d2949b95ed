package io.xfuser.serving;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Who gets ranks. */
public enum Policy {
  /** First come, first served; what runs is not stopped. */
  FCFS(false, Comparator.comparingDouble(Work::arrival)),
  /** The shortest first; what runs is not stopped. */
  SJF(false, null),
  /** The one with the least left first, which may take the ranks of another. */
  SRTF(true, null),
  /** Deadlines (GENSERVE, arXiv 2604.04335): {@link Deadlines}. */
  GENSERVE(true, null);

  private final boolean preempts;

  @SuppressWarnings("ImmutableEnumChecker") // it is, but does not say so
  private final @Nullable Comparator<Work> order;

  Policy(boolean preempts, @Nullable Comparator<Work> order) {
    this.preempts = preempts;
    this.order = order;
  }

  /**
   * Who should run now.
   *
   * @param degree ranks of each, where the policy does not choose
   */
  List<Grant> grants(double now, List<Work> works, Ranks ranks, int degree) {
    if (this == GENSERVE) {
      return new Deadlines(ranks).grants(now, works);
    }
    Comparator<Work> byTime =
        order == null ? Comparator.comparingDouble(w -> w.left(ranks.times(), degree)) : order;
    List<Work> all = new ArrayList<>(works);
    all.sort(
        Comparator.<Work, Boolean>comparing(work -> preempts || !work.runs())
            .thenComparing(byTime)
            .thenComparingLong(Work::id));
    List<Grant> granted = new ArrayList<>();
    int left = ranks.count();
    for (Work work : all) {
      int own = Math.min(degree, work.most());
      if (own <= left) {
        granted.add(Grant.of(work, own));
        left -= own;
      }
    }
    return granted;
  }

  /** By the name that a user gives, {@code genserve} for example. */
  public static Policy of(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  /**
   * What there is.
   *
   * @param count all ranks
   * @param times how long steps take
   */
  record Ranks(int count, StepTimes times) {}
}
