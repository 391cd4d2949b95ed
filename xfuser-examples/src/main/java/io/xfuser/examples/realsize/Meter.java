package io.xfuser.examples.realsize;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Reads every 50 ms what this process has used; Linux only. */
final class Meter implements AutoCloseable {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Duration EVERY = Duration.ofMillis(50);

  private final List<Reading> readings = new ArrayList<>();
  private final Thread thread = new Thread(this::read, "meter");
  private volatile boolean closed;

  /** On {@link System#nanoTime}: CPU time of all threads, and memory that no file backs. */
  private record Reading(long at, long cpuNanos, long anonymousBytes) {
    static Reading now() {
      long cpu = ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
      return new Reading(System.nanoTime(), cpu, Meter.anonymousBytes());
    }
  }

  /**
   * What was used for a time.
   *
   * @param seconds of it
   * @param cpuSeconds of all threads
   * @param peakBytes the most anonymous memory
   */
  record Usage(double seconds, double cpuSeconds, long peakBytes) {}

  Meter() {
    readings.add(Reading.now());
    thread.setDaemon(true);
    thread.start();
  }

  /** Resident memory of this process that no file backs, the JVM's own included. */
  static long anonymousBytes() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith("RssAnon:")) {
          return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException(STATUS + " has no RssAnon");
  }

  private void read() {
    while (!closed) {
      add();
      try {
        Thread.sleep(EVERY.toMillis());
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private synchronized void add() {
    readings.add(Reading.now());
  }

  /** Between two times of {@link System#nanoTime}. */
  synchronized Usage between(long from, long to) {
    readings.add(Reading.now());
    long peak = 0;
    for (Reading reading : readings) {
      if (reading.at() >= from && reading.at() <= to) {
        peak = Math.max(peak, reading.anonymousBytes());
      }
    }
    return new Usage((to - from) / 1e9, (cpuAt(to) - cpuAt(from)) / 1e9, peak);
  }

  private double cpuAt(long at) {
    Reading before = readings.get(0);
    for (Reading reading : readings) {
      if (reading.at() > at) {
        double share = (double) Math.max(0, at - before.at()) / (reading.at() - before.at());
        return before.cpuNanos() + share * (reading.cpuNanos() - before.cpuNanos());
      }
      before = reading;
    }
    return before.cpuNanos();
  }

  @Override
  public void close() {
    closed = true;
  }
}
