package io.xfuser.serving;

import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How many deadlines each policy keeps on 8 GPUs, by simulation with published step times: {@code
 * scripts/sim/serving [SEEDS]}. Nothing in it was measured on GPUs by this project.
 */
public final class ServingSimulation {
  private static final int GPUS = 8;
  private static final int SEEDS = 24;
  private static final double[] SPEED_UP = {1, 1.82, 3.33, 5.88}; // GF-DiT's profile of 1 to 8 GPUs

  /** SD3-medium, 1024², 20 steps on L40s, CFG with PipeFusion (xDiT's published table). */
  private static final double[] IMAGE = {3.92 / 20, 2.18 / 20, 1.52 / 20, 1.26 / 20};

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private ServingSimulation() {}

  /**
   * Requests of one kind.
   *
   * @param shape in the table of step times
   * @param steps of each
   * @param allowed its deadline, in times that it takes alone on one GPU
   * @param share of all requests
   */
  private record Kind(String shape, int steps, double allowed, double share) {}

  /**
   * Requests of some kinds, as they come.
   *
   * @param perMinute how many, on average
   * @param requests all of them
   */
  record Workload(String name, List<Kind> kinds, double perMinute, int requests) {
    /** With arrivals and kinds drawn from {@code seed}. */
    List<Work> drawn(long seed, StepTimes times) {
      Random random = new Random(seed);
      double time = 0;
      List<Work> works = new ArrayList<>();
      for (int i = 0; i < requests; i++) {
        time += -Math.log(1 - random.nextDouble()) * 60 / perMinute;
        double which = random.nextDouble();
        int kind = 0;
        while (kind < kinds.size() - 1 && which >= kinds.get(kind).share()) {
          which -= kinds.get(kind++).share();
        }
        works.add(work(i, kinds.get(kind), time, times));
      }
      return works;
    }

    private static Work work(long id, Kind kind, double time, StepTimes times) {
      double alone = kind.steps() * times.of(kind.shape(), 1, 1);
      String joins = kind.shape().equals("image") ? "image" : "";
      double deadline = time + kind.allowed() * alone;
      return new Work(id, kind.shape(), 1, kind.steps(), 0, time, deadline, 0, GPUS, false, joins);
    }
  }

  static Workload genserve(double perMinute) {
    return new Workload(
        "GENSERVE's, %.0f requests a minute".formatted(perMinute),
        List.of(new Kind("image", 20, 3, 0.5), new Kind("480p", 25, 1.5, 0.5)),
        perMinute,
        100);
  }

  static Workload gfdit() {
    return new Workload(
        "GF-DiT's mixed classes",
        List.of(
            new Kind("480p", 25, 1.5, 39 / 80.0),
            new Kind("720p", 50, 2, 25 / 80.0),
            new Kind("720p", 100, 6, 16 / 80.0)),
        80 / 60.0,
        80);
  }

  /** Step times that others have published, by shape and number of GPUs. */
  static StepTimes published() {
    StepTimes times = new StepTimes();
    for (int i = 0; i < SPEED_UP.length; i++) {
      int degree = 1 << i;
      times.measured("480p", 1, degree, 40.0 / 25 / SPEED_UP[i]);
      times.measured("720p", 1, degree, 504.0 / 50 / SPEED_UP[i]);
      times.measured("image", 1, degree, IMAGE[i]);
    }
    return times;
  }

  /** The attainment of each seed, in percent. */
  static List<Double> attainments(
      Policy policy, int degree, Workload load, int seeds, List<Long> solverNanos) {
    StepTimes times = published();
    return IntStream.range(0, seeds)
        .mapToObj(
            seed -> {
              Scheduler scheduler = new Scheduler(policy, GPUS, degree, times);
              Simulation.Outcome outcome =
                  new Simulation(scheduler, times).run(load.drawn(seed, times));
              solverNanos.addAll(outcome.solverNanos());
              return outcome.attainment();
            })
        .toList();
  }

  static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  private static double deviation(List<Double> values) {
    double mean = mean(values);
    return Math.sqrt(
        values.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum() / (values.size() - 1));
  }

  /** The seeds are the only argument, {@value #SEEDS} without one. */
  public static void main(String... args) {
    int seeds = args.length == 0 ? SEEDS : Integer.parseInt(args[0]);
    PrintStream out = System.out;
    out.println("simulated: " + GPUS + " GPUs, published step times, " + seeds + " seeds");
    for (Workload load : List.of(genserve(12), genserve(24), genserve(36), gfdit())) {
      out.println("\n" + load.name());
      for (Policy policy : Policy.values()) {
        for (int degree = 1; degree <= (policy == Policy.GENSERVE ? 1 : GPUS); degree *= 2) {
          List<Double> each = attainments(policy, degree, load, seeds, new ArrayList<>());
          out.printf(
              "%-9s %-9s %5.1f %% ± %4.1f%n",
              policy,
              policy == Policy.GENSERVE ? "elastic" : "SP " + degree,
              mean(each),
              deviation(each));
        }
      }
    }
    solver(out);
  }

  /** How long a decision about 100 requests takes. */
  private static void solver(PrintStream out) {
    StepTimes times = published();
    Scheduler scheduler = new Scheduler(Policy.GENSERVE, GPUS, 1, times);
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      List<Work> works = genserve(24).drawn(i, times);
      long begin = THREADS.getCurrentThreadCpuTime();
      var unused = scheduler.decide(works.get(99).arrival(), works);
      nanos.add(THREADS.getCurrentThreadCpuTime() - begin);
    }
    List<Long> sorted = new ArrayList<>(nanos.subList(500, nanos.size())); // compiled by then
    Collections.sort(sorted);
    out.printf(
        "%nmeasured here: a decision about 100 requests takes %.3f ms of CPU time"
            + " (median), %.3f ms (99 %%), %.3f ms (most)%n",
        sorted.get(sorted.size() / 2) / 1e6,
        sorted.get(sorted.size() * 99 / 100) / 1e6,
        sorted.get(sorted.size() - 1) / 1e6);
  }
}
