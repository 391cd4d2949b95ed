package io.xfuser.examples.gpucheck;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.cli.launch.LauncherWatch;
import io.xfuser.cli.launch.RankMain;
import io.xfuser.torchscript.Libtorch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Runs experiments one after another, each in a JVM of its own, which is ended when its time is
 * over. Whatever becomes of one, the next is run.
 */
final class Course {
  private static final long GRACE_SECONDS = 5;
  private static final int REFUSED = 2;
  private static final int FIRST_SIGNAL = 128;

  private final Setup setup;
  private final Results results;
  private final PrintStream err;

  Course(Setup setup, Results results, PrintStream err) {
    this.setup = setup;
    this.results = results;
    this.err = err;
  }

  /**
   * Runs those that fit into {@code seconds}, in their order: one that takes longer than what is
   * left is left out, and those after it may fit.
   *
   * @return 0 if none of those that were run failed; 2 if the first was refused, because nothing
   *     else is worth trying then; else 1
   */
  int run(List<Experiment> experiments, double seconds) throws IOException {
    long start = System.nanoTime();
    int worst = 0;
    for (Experiment experiment : experiments) {
      double left = seconds - (System.nanoTime() - start) / 1e9;
      err.printf("gpu-check: %d %s%n", experiment.number(), experiment.name());
      Results.Entry entry = results.begin(experiment);
      if (experiment.seconds() > left) {
        entry.end(
            Numbers.format(
                "left out: takes %s s, and %s are left", experiment.seconds(), Math.floor(left)),
            0);
        continue;
      }
      int status = run(experiment, Math.min(experiment.limit(), left), entry);
      if (status == REFUSED && experiment.equals(experiments.get(0))) {
        return REFUSED;
      }
      worst = status == 0 ? worst : 1;
    }
    return worst;
  }

  /** Its exit status; some other than 0 where it did not end. */
  private int run(Experiment experiment, double limit, Results.Entry entry) throws IOException {
    long start = System.nanoTime();
    Deque<String> last = new ArrayDeque<>();
    Process process = start(experiment);
    Thread end = new Thread(() -> kill(process), "gpu-check-end");
    Runtime.getRuntime().addShutdownHook(end);
    Thread told = reader(process.getInputStream(), line -> tell(line, entry));
    Thread said = reader(process.getErrorStream(), line -> say(line, last));
    String state;
    int status = FIRST_SIGNAL;
    try {
      boolean inTime = process.waitFor((long) (limit * 1000), TimeUnit.MILLISECONDS);
      if (!inTime) {
        kill(process);
        process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
      }
      told.join(GRACE_SECONDS * 1000); // a child of it that lives on may hold the pipe
      said.join(GRACE_SECONDS * 1000);
      status = inTime ? process.exitValue() : status;
      state = inTime ? state(status, last) : Numbers.format("no end in %s s", limit);
    } catch (InterruptedException e) {
      kill(process);
      throw new IOException("interrupted", e);
    }
    Runtime.getRuntime().removeShutdownHook(end);
    synchronized (results) {
      entry.end(state, (System.nanoTime() - start) / 1e9);
    }
    err.printf("gpu-check: %d %s: %s%n", experiment.number(), experiment.name(), state);
    return status;
  }

  private Process start(Experiment experiment) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> !option.startsWith("-agentlib") && !option.startsWith("-javaagent"))
        .forEach(command::add);
    if (Boolean.getBoolean(Libtorch.ANY)) {
      command.add("-D" + Libtorch.ANY + "=true");
    }
    command.addAll(List.of("-cp", setup.classPath(), RankMain.class.getName()));
    command.addAll(experiment.command().apply(setup));
    ProcessBuilder builder = new ProcessBuilder(command).directory(setup.models().toFile());
    builder.environment().putIfAbsent(SharedGpu.ALLOWED, "1");
    builder.environment().put(LauncherWatch.VARIABLE, Long.toString(ProcessHandle.current().pid()));
    return builder.start();
  }

  private static Thread reader(InputStream from, Consumer<String> to) {
    Thread thread =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
                lines.lines().forEach(to);
              } catch (IOException | UncheckedIOException e) {
                return; // the process has been ended
              }
            },
            "gpu-check-reader");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void tell(String line, Results.Entry entry) {
    Optional<JsonNode> finding = Findings.read(line);
    if (finding.isEmpty()) {
      err.println(line);
      return;
    }
    if (finding.get().has(Findings.DECIDES)) {
      err.println("gpu-check: " + finding.get().get(Findings.DECIDES).asText());
    }
    synchronized (results) {
      try {
        entry.add(finding.get());
      } catch (IOException e) {
        err.println("gpu-check: " + e + " (the results cannot be written)");
      }
    }
  }

  /** Shows a line, and keeps the last ones but for the frames of a stack. */
  private void say(String line, Deque<String> last) {
    err.println(line);
    synchronized (last) {
      if (!line.isBlank() && !line.startsWith("\tat ") && !line.startsWith("\t... ")) {
        last.addLast(line.strip());
      }
      if (last.size() > 3) {
        last.removeFirst();
      }
    }
  }

  private static String state(int status, Deque<String> last) {
    if (status == 0) {
      return "ended";
    }
    String how =
        status > FIRST_SIGNAL
            ? "its JVM was killed by signal " + (status - FIRST_SIGNAL)
            : status == REFUSED ? "refused" : "failed with exit status " + status;
    synchronized (last) {
      return last.isEmpty() ? how : how + ": " + String.join(" / ", last);
    }
  }

  private static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
