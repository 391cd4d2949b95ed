package io.xfuser.examples.gpucheck;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Draws the small picture in JVMs whose threads have stacks of several sizes. What libtorch, cuDNN
 * and the driver need on a rank's thread nobody says; Java's default is 1 MiB, a program's main
 * thread has 8.
 */
@Command(
    name = "stack",
    mixinStandardHelpOptions = true,
    description = "The stack that the threads of ranks need.")
final class StackSize implements Callable<Integer> {
  /** In KiB; the second is Java's default. */
  private static final List<Integer> SIZES = List.of(16 << 10, 1 << 10, 512);

  private static final int DEFAULT = 1 << 10;
  private static final int SECONDS = 60;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  @Override
  public Integer call() throws IOException, InterruptedException {
    int least = Integer.MAX_VALUE;
    for (int size : part.isCuda() ? SIZES : SIZES.subList(0, 2)) {
      long start = System.nanoTime();
      Process process = start(size);
      boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
      process.destroyForcibly();
      boolean draws = ended && process.exitValue() == 0;
      findings.row(
          "stack, KiB",
          size,
          "draws",
          draws ? "yes" : ended ? "exit status " + process.exitValue() : "does not end",
          "s",
          (System.nanoTime() - start) / 1e9);
      least = draws ? Math.min(least, size) : least;
    }
    findings.decides(
        least == Integer.MAX_VALUE
            ? "ranks do not draw, whatever the stack of their threads"
            : least <= DEFAULT
                ? "Java's default stack of 1 MiB does for the threads of ranks (%s KiB do)"
                : "**the threads of ranks need more stack than Java's default of 1 MiB** (%s KiB"
                    + " do)",
        least);
    return least <= DEFAULT ? 0 : 1;
  }

  private Process start(int kibibytes) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-Xss" + kibibytes + "k");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(GpuCheck.class.getName(), "machine"));
    command.addAll(List.of("--device", part.setup().device()));
    command.addAll(List.of("--root", part.setup().root().toString()));
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
