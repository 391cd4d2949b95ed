package io.xfuser.serving;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Requests over time on ranks that only exist as numbers: a discrete-event simulation around a
 * {@link Scheduler}. A request that is told to pause stops at the end of its step; one that begins
 * or goes on pays for its move. Decoding is done elsewhere, in time of its own.
 */
final class Simulation {
  /** Seconds for putting samples where other ranks have them (GF-DiT's bound). */
  static final double MOVE = 0.05;

  private static final double ROUND = 1; // seconds between two decisions, at most

  private final Scheduler scheduler;
  private final StepTimes times;
  private final List<Long> solverNanos = new ArrayList<>();
  private final TreeMap<Long, Run> runs = new TreeMap<>();
  private final TreeMap<Long, Double> ended = new TreeMap<>();
  private double now;

  Simulation(Scheduler scheduler, StepTimes times) {
    this.scheduler = scheduler;
    this.times = times;
  }

  /** Some works that are drawn together; a work that waits is one of its own. */
  private static final class Run {
    private List<Work> works;
    private int taken;
    private int degree;
    private boolean stopping;
    private double nextStep; // when the present step ends

    Run(Work work) {
      works = List.of(work);
    }

    Work state() {
      Work first = works.get(0);
      int pictures = works.stream().mapToInt(Work::pictures).sum();
      return new Work(
          first.id(),
          first.shape(),
          pictures,
          first.steps(),
          taken,
          first.arrival(),
          works.stream().mapToDouble(Work::deadline).min().orElseThrow(),
          degree,
          first.most(),
          stopping,
          first.joins());
    }
  }

  /**
   * How it went.
   *
   * @param met deadlines
   * @param requests all of them
   * @param solverNanos of each decision
   */
  record Outcome(int met, int requests, List<Long> solverNanos) {
    double attainment() {
      return 100.0 * met / requests;
    }
  }

  /** Runs until all of {@code arriving} are over. */
  Outcome run(List<Work> arriving) {
    List<Work> coming = new ArrayList<>(arriving);
    coming.sort(Comparator.comparingDouble(Work::arrival));
    int met = 0;
    int next = 0;
    while (next < coming.size() || !runs.isEmpty()) {
      double event = next < coming.size() ? coming.get(next).arrival() : Double.POSITIVE_INFINITY;
      for (Run run : runs.values()) {
        event = run.degree > 0 ? Math.min(event, changes(run)) : event;
      }
      now = Math.min(event, runs.isEmpty() ? event : now + ROUND);
      for (; next < coming.size() && coming.get(next).arrival() <= now; next++) {
        runs.put(coming.get(next).id(), new Run(coming.get(next)));
      }
      met += advance();
      apply();
    }
    return new Outcome(met, arriving.size(), solverNanos);
  }

  /** When the work {@code id} was over. */
  double ended(long id) {
    return Objects.requireNonNull(ended.get(id));
  }

  /** When a run ends, or stops. */
  private double changes(Run run) {
    int steps = run.stopping ? 1 : run.works.get(0).steps() - run.taken;
    return run.nextStep + (steps - 1) * stepSeconds(run);
  }

  private double stepSeconds(Run run) {
    Work state = run.state();
    return times.of(state.shape(), state.pictures(), run.degree);
  }

  /** Takes the steps that are over by now; how many deadlines were met. */
  private int advance() {
    int met = 0;
    for (Run run : List.copyOf(runs.values())) {
      while (run.degree > 0 && run.nextStep <= now + 1e-9) {
        run.taken++;
        double end = run.nextStep;
        if (run.taken == run.works.get(0).steps()) {
          met += (int) run.works.stream().filter(work -> end <= work.deadline() + 1e-6).count();
          run.works.forEach(work -> ended.put(work.id(), end));
          runs.remove(run.works.get(0).id());
          run.degree = 0;
        } else if (run.stopping) {
          run.degree = 0;
          run.stopping = false;
        } else {
          run.nextStep += stepSeconds(run);
        }
      }
    }
    return met;
  }

  private void apply() {
    List<Work> states = runs.values().stream().map(Run::state).toList();
    long begin = System.nanoTime();
    Scheduler.Commands commands = scheduler.decide(now, states);
    solverNanos.add(System.nanoTime() - begin);
    commands.pause().forEach(work -> run(work).stopping = true);
    for (Grant grant : commands.start()) {
      Run run = run(grant.works().get(0));
      List<Work> all = new ArrayList<>(run.works);
      for (Work other : grant.works().subList(1, grant.works().size())) {
        all.addAll(run(other).works);
        runs.remove(other.id());
      }
      run.works = List.copyOf(all);
      run.degree = grant.degree();
      run.nextStep = now + (run.taken > 0 ? MOVE : 0) + stepSeconds(run);
    }
  }

  private Run run(Work work) {
    return Objects.requireNonNull(runs.get(work.id()));
  }
}
