package io.xfuser.serving;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * GENSERVE's way to keep deadlines (arXiv 2604.04335): each request's slack follows from the table
 * of step times; a dynamic program over the ranks chooses for each whether it is held or runs, and
 * on how many, so that as many deadlines as possible are met for each second of a rank.
 *
 * @param ranks what there is
 */
record Deadlines(Policy.Ranks ranks) {
  private static final double STAY = 1.25; // rather than stop or move
  private static final double LATE = 1e-6; // a deadline that cannot be met any more
  private static final double STARVED = 1e6;
  private static final double PATIENCE = 4; // times the time that was allowed
  private static final double NO_DEADLINE = 10; // times the time alone, as if that were allowed
  private static final double FOREVER = Double.POSITIVE_INFINITY;
  private static final int MOST_TOGETHER = 8;

  /** One group of the knapsack: works that run together, or not. */
  private record Item(List<Work> works, double deadline) {
    Work first() {
      return works.get(0);
    }

    int pictures() {
      return works.stream().mapToInt(Work::pictures).sum();
    }
  }

  List<Grant> grants(double now, List<Work> works) {
    List<Item> items = items(now, works);
    int count = ranks.count();
    double[] best = new double[count + 1];
    int[][] chosen = new int[items.size()][count + 1];
    for (int i = 0; i < items.size(); i++) {
      double[] next = best.clone();
      for (int degree = 1; degree <= Math.min(count, items.get(i).first().most()); degree *= 2) {
        double gain = gain(now, items.get(i), degree);
        for (int used = degree; used <= count; used++) {
          if (best[used - degree] + gain > next[used]) {
            next[used] = best[used - degree] + gain;
            chosen[i][used] = degree;
          }
        }
      }
      best = next;
    }
    List<Grant> grants = new ArrayList<>();
    int left = count;
    for (int i = items.size() - 1; i >= 0; i--) {
      int degree = chosen[i][left];
      if (degree > 0) {
        grants.add(new Grant(items.get(i).works(), degree));
        left -= degree;
      }
    }
    return grants;
  }

  /** What it is worth that {@code works} run together on so many ranks. */
  double worth(double now, List<Work> works, int degree) {
    double deadline = works.stream().mapToDouble(this::deadline).min().orElseThrow();
    return gain(now, new Item(works, deadline), degree);
  }

  /** Deadlines met for each second, if {@code item} runs from now on. */
  private double gain(double now, Item item, int degree) {
    Work first = item.first();
    double left = left(item, degree);
    double rate = item.works().size() / Math.max(left, 1e-9);
    double allowed = item.deadline() - first.arrival();
    double stay = first.degree() == degree ? STAY : 1;
    if (now > item.deadline() + PATIENCE * allowed) {
      return degree == 1 || first.degree() == degree ? STARVED * stay : STARVED / 2;
    }
    boolean asked = item.works().stream().anyMatch(work -> work.deadline() < FOREVER);
    if (asked && now + left > item.deadline()) {
      return LATE * rate * stay;
    }
    double least = left;
    for (int more = degree; more <= Math.min(ranks.count(), first.most()); more *= 2) {
      least = Math.min(least, left(item, more));
    }
    double slack = Math.max(0, item.deadline() - now - least);
    double older = 1 + 1e-6 * (now - first.arrival()); // among those that are alike
    return rate * stay * older * (1 + 2 * Math.exp(-slack / least));
  }

  private double left(Item item, int degree) {
    Work first = item.first();
    return (first.steps() - first.taken())
        * ranks.times().of(first.shape(), item.pictures(), degree);
  }

  /** What may run, with those together that have not begun and gain by it. */
  private List<Item> items(double now, List<Work> works) {
    List<Item> items = new ArrayList<>();
    Map<String, List<Work>> waiting = new LinkedHashMap<>();
    for (Work work : works) {
      if (work.begun() || work.joins().isEmpty()) {
        items.add(new Item(List.of(work), deadline(work)));
      } else {
        waiting.computeIfAbsent(work.joins(), key -> new ArrayList<>()).add(work);
      }
    }
    waiting.values().forEach(alike -> together(now, alike, items));
    return items;
  }

  private void together(double now, List<Work> alike, List<Item> items) {
    alike.sort(Comparator.comparingDouble(this::deadline).thenComparingLong(Work::id));
    int from = 0;
    while (from < alike.size()) {
      int to = from + 1;
      while (to < alike.size() && to - from < MOST_TOGETHER && joins(now, alike, from, to)) {
        to++;
      }
      items.add(new Item(List.copyOf(alike.subList(from, to)), deadline(alike.get(from))));
      from = to;
    }
  }

  /** Whether one more is drawn quicker with the others than after them, and makes none late. */
  private boolean joins(double now, List<Work> alike, int from, int to) {
    Work first = alike.get(from);
    int before = alike.subList(from, to).stream().mapToInt(Work::pictures).sum();
    int after = before + alike.get(to).pictures();
    StepTimes times = ranks.times();
    double together = times.of(first.shape(), after, 1);
    double apart =
        times.of(first.shape(), before, 1) + times.of(first.shape(), alike.get(to).pictures(), 1);
    return together < 0.95 * apart && now + first.steps() * together <= deadline(first);
  }

  /** One without a deadline has one that is far, and is never late. */
  private double deadline(Work work) {
    double whole = work.steps() * ranks.times().of(work.shape(), work.pictures(), 1);
    return work.deadline() < FOREVER
        ? work.deadline()
        : work.arrival() + Math.max(60, NO_DEADLINE * whole);
  }
}
