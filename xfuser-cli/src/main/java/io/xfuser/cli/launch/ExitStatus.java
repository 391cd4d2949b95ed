package io.xfuser.cli.launch;

import java.util.Map;

/**
 * How a process ended.
 *
 * @param value the exit status; 128 + n after death by signal n
 */
record ExitStatus(int value) {
  /** What a command ends with, by custom, when its arguments are wrong. */
  static final ExitStatus USAGE = new ExitStatus(2);

  /** The signals that have the same number on Linux and macOS. */
  private static final Map<Integer, String> SIGNALS =
      Map.ofEntries(
          Map.entry(1, "SIGHUP"),
          Map.entry(2, "SIGINT"),
          Map.entry(3, "SIGQUIT"),
          Map.entry(4, "SIGILL"),
          Map.entry(5, "SIGTRAP"),
          Map.entry(6, "SIGABRT"),
          Map.entry(8, "SIGFPE"),
          Map.entry(9, "SIGKILL"),
          Map.entry(11, "SIGSEGV"),
          Map.entry(13, "SIGPIPE"),
          Map.entry(14, "SIGALRM"),
          Map.entry(15, "SIGTERM"));

  private static final int FIRST_SIGNAL = 128;
  private static final int LAST_SIGNAL = 64;

  boolean isSuccess() {
    return value == 0;
  }

  /** The status, and the signal where one is meant. */
  @Override
  public String toString() {
    int signal = value - FIRST_SIGNAL;
    if (signal < 1 || signal > LAST_SIGNAL) {
      return "exit status " + value;
    }
    return "exit status " + value + " (" + SIGNALS.getOrDefault(signal, "signal " + signal) + ")";
  }
}
