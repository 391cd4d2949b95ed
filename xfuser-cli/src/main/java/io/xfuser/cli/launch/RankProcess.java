package io.xfuser.cli.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One running rank: its process and what it writes. */
final class RankProcess {
  /** For the last bytes of an ended process; a process that it left behind may keep the pipe. */
  private static final long DRAIN_MILLIS = 1000;

  private final int rank;
  private final Process process;
  private final RankOutput output;
  private final List<Thread> copiers = new ArrayList<>();

  private RankProcess(int rank, Process process, RankOutput output) {
    this.rank = rank;
    this.process = process;
    this.output = output;
  }

  /**
   * Starts the rank. Rank 0 has this process's standard input and output, so that it sees a
   * terminal where there is one, and its errors pass unchanged; other ranks have no input and write
   * lines that begin with their rank.
   *
   * @throws IOException if the process cannot be started
   */
  static RankProcess start(ProcessBuilder builder, int rank, PrintStream out, PrintStream err)
      throws IOException {
    if (rank == 0) {
      builder.redirectInput(Redirect.INHERIT).redirectOutput(Redirect.INHERIT);
      RankProcess first = new RankProcess(rank, builder.start(), new RankOutput("", out, err));
      first.copy(first.process.getErrorStream(), first.output::copyTerminalErrors);
      return first;
    }
    RankProcess other =
        new RankProcess(rank, builder.start(), new RankOutput("[rank " + rank + "] ", out, err));
    other.process.getOutputStream().close();
    other.copy(other.process.getInputStream(), other.output::copyOutput);
    other.copy(other.process.getErrorStream(), other.output::copyErrors);
    return other;
  }

  int rank() {
    return rank;
  }

  RankOutput output() {
    return output;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Has {@code receiver} called with this rank when its process has ended. */
  void whenEnded(Consumer<RankProcess> receiver) {
    var unused = process.onExit().thenRun(() -> receiver.accept(this));
  }

  /** How the process ended; it must have. */
  ExitStatus status() {
    return new ExitStatus(process.exitValue());
  }

  /** Waits for the process to end; whether it did in time. */
  boolean await(Duration limit) throws InterruptedException {
    return process.waitFor(Math.max(0, limit.toMillis()), TimeUnit.MILLISECONDS);
  }

  /** Waits until what the ended process wrote has been passed on. */
  void drain() throws InterruptedException {
    for (Thread copier : copiers) {
      copier.join(DRAIN_MILLIS);
    }
  }

  /** Asks the process to end: SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** Ends the process: SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  private void copy(InputStream from, Copier copier) {
    Thread thread = new Thread(() -> copyUntilClosed(from, copier), "output of rank " + rank);
    thread.setDaemon(true);
    thread.start();
    copiers.add(thread);
  }

  private static void copyUntilClosed(InputStream from, Copier copier) {
    try (from) {
      copier.copy(from);
    } catch (IOException e) {
      // The pipe of a killed process may close under the reader; there is nothing more to read.
      return;
    }
  }

  @FunctionalInterface
  private interface Copier {
    void copy(InputStream from) throws IOException;
  }
}
