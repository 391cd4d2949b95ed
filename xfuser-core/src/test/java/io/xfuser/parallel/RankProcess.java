package io.xfuser.parallel;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A {@link RankMain} that runs, and what it has said so far. */
final class RankProcess implements AutoCloseable {
  private final int rank;
  private final Process process;
  private final List<String> lines = new ArrayList<>();
  private boolean over;

  RankProcess(int rank, int size, int port, String... arguments) throws IOException {
    this.rank = rank;
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                RankMain.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("RANK", String.valueOf(rank));
    builder.environment().put("WORLD_SIZE", String.valueOf(size));
    builder.environment().put("MASTER_ADDR", "localhost");
    builder.environment().put("MASTER_PORT", String.valueOf(port));
    builder.environment().put("OPT_OUT_TRACKING", "true");
    this.process = builder.start();
    Thread reader = new Thread(this::read, "output-of-rank" + rank);
    reader.setDaemon(true);
    reader.start();
  }

  /** The rest of the first line that starts with {@code word}, as soon as it is there. */
  String await(String word, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    synchronized (lines) {
      while (true) {
        for (String line : lines) {
          if (line.startsWith(word)) {
            return line.substring(word.length()).strip();
          }
        }
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0 || over) {
          throw new AssertionError("rank " + rank + " did not say " + word + " but " + lines);
        }
        lines.wait(millis);
      }
    }
  }

  /** Sends a signal, STOP for example. */
  void signal(String name) throws IOException, InterruptedException {
    String pid = String.valueOf(process.pid());
    int status = new ProcessBuilder("kill", "-" + name, pid).start().waitFor();
    if (status != 0) {
      throw new IOException("kill -" + name + " " + pid + " ended with " + status);
    }
  }

  int exitStatus() throws InterruptedException {
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  private void read() {
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        add(line);
      }
    } catch (IOException e) {
      add("the output has ended: " + e.getMessage()); // killed by the test
    } finally {
      synchronized (lines) {
        over = true;
        lines.notifyAll();
      }
    }
  }

  private void add(String line) {
    synchronized (lines) {
      lines.add(line);
      lines.notifyAll();
    }
  }
}
