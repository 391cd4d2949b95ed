package io.xfuser.cli.runner;

import io.xfuser.cli.flags.FlagSentences;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.HubException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.ModelException;
import io.xfuser.failure.PlatformException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

/** Turns what goes wrong in a command into one sentence and an exit status. */
final class Failures {
  private static final int FAILURE = 1;
  private static final int BAD_INPUT = 2;

  /** Loaded before anything fails: where file handles have run out, no class can be. */
  private static final List<Class<?>> NEEDED =
      List.of(
          CancelledException.class,
          ClosedException.class,
          CommunicationException.class,
          HubException.class,
          MemoryException.class,
          MismatchException.class,
          ModelException.class,
          PlatformException.class,
          RankException.class);

  private final String command;
  private final List<String> argv;
  private final boolean verbose;
  private final PrintStream err;

  /**
   * For a command.
   *
   * @param command its name, which sentences begin with
   * @param argv its arguments; with {@code -v} among them, stack traces are shown
   */
  Failures(String command, List<String> argv, PrintStream err) {
    this.command = command;
    this.argv = argv;
    this.verbose = argv.contains("-v") || argv.contains("--verbose");
    this.err = err;
    handles();
    NEEDED.forEach(kind -> FlagSentences.of(sentence(new IOException(kind.getName())), argv));
  }

  /** The status that {@code body} returns; 2 if it rejects its input, 1 if it fails otherwise. */
  int statusOf(Callable<Integer> body) {
    try {
      return body.call();
    } catch (IllegalArgumentException | MismatchException | ModelException e) {
      return end(BAD_INPUT, sentence(e), e);
    } catch (CancelledException
        | ClosedException
        | CommunicationException
        | HubException
        | MemoryException
        | PlatformException
        | RankException
        | IOException e) {
      return end(FAILURE, sentence(e), e);
    } catch (OutOfMemoryError e) {
      return end(FAILURE, "out of memory: " + sentence(e), e);
    } catch (Exception | Error e) { // the JDK throws plain Errors where it can open no file
      String handles = e instanceof LinkageError ? handles() : "";
      return end(FAILURE, e.getClass().getSimpleName() + ": " + sentence(e) + handles, e);
    }
  }

  /** A class that cannot be loaded does not say why: no file can be opened any more, perhaps. */
  private static String handles() {
    try {
      Files.newInputStream(Path.of(System.getProperty("java.home"), "release")).close();
      return "";
    } catch (IOException e) {
      return " (" + Reason.of(e) + ")";
    }
  }

  private int end(int status, String sentence, Throwable cause) {
    err.println(command + ": " + FlagSentences.of(sentence, argv));
    if (verbose) {
      cause.printStackTrace(err);
    }
    return status;
  }

  /** What went wrong in one line, to the reason beneath it. */
  private static String sentence(Throwable e) {
    String reason = Reason.of(e);
    return reason.equals(e.getClass().getSimpleName())
        ? "no reason was given (-v shows where)"
        : reason;
  }
}
