package io.xfuser.internal.parallel;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A main class that runs as one rank, and what it has said so far on either output. */
public final class RankProcess implements AutoCloseable {
  private final @Nullable String rank;
  private final Process process;
  private final List<String> lines = new ArrayList<>();
  private boolean over;

  RankProcess(int rank, int size, int port, String... arguments) throws IOException {
    this(RankMain.class, environment(rank, size, port), arguments);
  }

  /** Starts {@code main} with {@code environment} beside the variables of this process. */
  public RankProcess(Class<?> main, Map<String, String> environment, String... arguments)
      throws IOException {
    this.rank = environment.get("RANK");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    this.process = builder.start();
    Thread reader = new Thread(this::read, "output-of-rank" + rank);
    reader.setDaemon(true);
    reader.start();
  }

  /** What tells a process which rank it is, on this machine. */
  public static Map<String, String> environment(int rank, int size, int port) {
    Map<String, String> environment = new HashMap<>();
    environment.put("RANK", String.valueOf(rank));
    environment.put("WORLD_SIZE", String.valueOf(size));
    environment.put("MASTER_ADDR", "localhost");
    environment.put("MASTER_PORT", String.valueOf(port));
    environment.put("OPT_OUT_TRACKING", "true");
    return environment;
  }

  /** Writes a line to its standard input. */
  public void tell(String line) throws IOException {
    BufferedWriter writer = process.outputWriter(StandardCharsets.UTF_8);
    writer.write(line + "\n");
    writer.flush();
  }

  /** What it has said so far. */
  public List<String> lines() {
    synchronized (lines) {
      return List.copyOf(lines);
    }
  }

  /** The rest of the first line that starts with {@code word}, as soon as it is there. */
  public String await(String word, Duration limit) throws InterruptedException {
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
  public void signal(String name) throws IOException, InterruptedException {
    String pid = String.valueOf(process.pid());
    int status = new ProcessBuilder("kill", "-" + name, pid).start().waitFor();
    if (status != 0) {
      throw new IOException("kill -" + name + " " + pid + " ended with " + status);
    }
  }

  /** Waits for its end. */
  public int exitStatus() throws InterruptedException {
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
