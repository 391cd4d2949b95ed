package io.xfuser.examples.realsize;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Reason;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The parts of {@code scripts/checks/real_size}. */
@Command(
    name = "real_size",
    mixinStandardHelpOptions = true,
    subcommands = {Write.class, Measure.class, Table.class})
public final class RealSizeCheck implements Callable<Integer> {
  private static final int FAILURE = 1;
  private static final int BAD_INPUT = 2;

  /** Exits with 0; 1 if something fails or a limit is passed; 2 for bad input. */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  static int run(String... arguments) {
    return new CommandLine(new RealSizeCheck())
        .setExecutionExceptionHandler(
            (e, command, words) -> {
              command.getErr().println("real_size: " + Reason.of(e));
              return e instanceof IllegalArgumentException ? BAD_INPUT : FAILURE;
            })
        .execute(arguments);
  }

  @Override
  public Integer call() {
    throw new ArgumentException("name a part: write, measure or table");
  }
}
