package io.xfuser.examples.gpucheck;

import io.xfuser.cli.flags.ReadableText;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Reason;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/**
 * The parts of {@code scripts/gpu-check} that are not scripts or tests of their own; each writes a
 * section of its page in Markdown to standard output.
 */
@Command(
    name = "gpu-check",
    mixinStandardHelpOptions = true,
    subcommands = {Machine.class, Processes.class, Sizes.class})
public final class GpuCheck implements Callable<Integer> {
  private static final int BROKEN = 1;
  private static final int REFUSED = 2;

  /** Exits with 0; 1 if a law is broken or something fails; 2 if there is nothing to check. */
  public static void main(String[] arguments) {
    System.exit(run(System.err, arguments));
  }

  static int run(PrintStream err, String... arguments) {
    try {
      ReadableText.require(arguments);
    } catch (ArgumentException e) {
      err.println("gpu-check: " + e.getMessage());
      return REFUSED;
    }
    return new CommandLine(new GpuCheck())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, words) -> refuse(err, e))
        .setExecutionExceptionHandler(
            (e, command, words) -> {
              err.println("gpu-check: " + Reason.of(e));
              return e instanceof ArgumentException ? REFUSED : BROKEN;
            })
        .execute(arguments);
  }

  private static int refuse(PrintStream err, ParameterException e) {
    err.println("gpu-check: " + Reason.of(e));
    return REFUSED;
  }

  @Override
  public Integer call() {
    throw new ArgumentException("name a part: machine, processes or sizes");
  }
}
