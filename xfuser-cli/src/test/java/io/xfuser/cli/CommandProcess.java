package io.xfuser.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A main class in a JVM of its own, as a user starts it, with what it wrote. */
public final class CommandProcess {
  private final Process process;
  private final Path out;
  private final Path err;

  private CommandProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /**
   * Starts {@code main}.
   *
   * @param directory for the files that its output goes to
   * @param environment what it has besides this JVM's
   */
  public static CommandProcess start(
      Class<?> main, Path directory, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // it ends soon
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(Arrays.asList(arguments));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().remove("OMP_NUM_THREADS");
    builder.environment().put("JAVA_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
    builder.environment().putAll(environment);
    return new CommandProcess(builder.start(), out, err);
  }

  /** Its exit status. */
  public int await() throws InterruptedException {
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("the command has not ended after 5 minutes");
    }
    return process.exitValue();
  }

  /** Its process. */
  public long pid() {
    return process.pid();
  }

  /**
   * Whether a process runs: what has ended without anyone who asks how counts as alive for Java.
   */
  public static boolean runs(ProcessHandle process) {
    if (!process.isAlive()) {
      return false;
    }
    try {
      String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      return process.isAlive(); // it has ended, or there is no such file on this system
    }
  }

  /** What it wrote to standard output so far. */
  public List<String> outLines() throws IOException {
    return Files.readAllLines(out, UTF_8);
  }

  /** What it wrote to standard error so far. */
  public List<String> errLines() throws IOException {
    return Files.readAllLines(err, UTF_8);
  }
}
