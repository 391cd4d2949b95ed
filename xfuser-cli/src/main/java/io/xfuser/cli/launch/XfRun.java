package io.xfuser.cli.launch;

import io.xfuser.cli.flags.ReadableText;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * {@code xfrun --nproc_per_node N MAIN [flags]}: runs a main class on several ranks, as torchrun
 * runs a script.
 */
public final class XfRun {
  private static final int FAILURE = 1;
  private static final int USAGE = 2;

  private XfRun() {}

  /**
   * Exits with 0 if all ranks ended well, with the first failed rank's status if one did not, with
   * 2 if the arguments are wrong.
   */
  public static void main(String[] arguments) {
    System.exit(run(arguments, System.out, System.err));
  }

  static int run(String[] arguments, PrintStream out, PrintStream err) {
    XfRunArgs args = new XfRunArgs();
    CommandLine commandLine =
        new CommandLine(args).setStopAtPositional(true).setExpandAtFiles(false);
    try {
      ReadableText.require(arguments);
      commandLine.parseArgs(arguments);
      if (args.helpRequested()) {
        commandLine.usage(out);
        return 0;
      }
      return new Launcher(out, err).run(args.plan());
    } catch (ParameterException | IllegalArgumentException e) {
      err.println("xfrun: " + e.getMessage());
      return USAGE;
    } catch (IOException | UncheckedIOException | CommunicationException e) {
      err.println("xfrun: " + Reason.of(e));
      return FAILURE;
    } catch (InterruptedException e) {
      return FAILURE;
    }
  }
}
