package io.xfuser.examples.runner;

import io.xfuser.hub.DownloadListener;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Shows how far downloads are: on a terminal a line for each file, redrawn; otherwise a line when a
 * file begins, and one every half minute.
 */
final class DownloadLines implements DownloadListener {
  private static final long INTERVAL = TimeUnit.SECONDS.toNanos(30);
  private static final double MEGA = 1e6;
  private static final int PERCENT = 100;

  private final PrintStream to;
  private final boolean terminal;
  private final LongSupplier clock;
  private long shown;

  /**
   * Shows nothing yet.
   *
   * @param to where to show it
   * @param terminal whether {@code to} is a terminal, on which a line can be redrawn
   * @param clock the time in nanoseconds
   */
  DownloadLines(PrintStream to, boolean terminal, LongSupplier clock) {
    this.to = to;
    this.terminal = terminal;
    this.clock = clock;
  }

  @Override
  public void advanced(Progress progress) {
    if (terminal) {
      redraw(progress);
      return;
    }
    long now = clock.getAsLong();
    if (progress.first()) {
      to.println(
          String.format(Locale.ROOT, "downloading %s (%s)", progress.file(), size(progress)));
    } else if (now - shown < INTERVAL) {
      return;
    } else {
      to.println(state(progress));
    }
    shown = now;
  }

  private void redraw(Progress progress) {
    // the cursor waits at the start of the line, so that whatever comes next has a line of its own
    to.print(state(progress) + (progress.complete() ? System.lineSeparator() : "\r"));
    to.flush();
  }

  private static String state(Progress progress) {
    long percent = progress.complete() ? PERCENT : PERCENT * progress.received() / progress.size();
    return String.format(
        Locale.ROOT, "downloading %s %3d%% of %s", progress.file(), percent, size(progress));
  }

  private static String size(Progress progress) {
    return String.format(Locale.ROOT, "%.1f MB", progress.size() / MEGA);
  }
}
