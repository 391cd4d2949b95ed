package io.xfuser.cli.runner;

import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Shows how far downloads are: on a terminal a line for each file, redrawn; otherwise a line when a
 * file begins, and one every half minute.
 */
final class DownloadLines implements ProgressListener {
  private static final long INTERVAL = TimeUnit.SECONDS.toNanos(30);
  private static final double MEGA = 1e6;
  private static final int PERCENT = 100;

  private final PrintStream to;
  private final boolean terminal;
  private final LongSupplier clock;
  private String file = "";
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
  public boolean progressed(Progress progress) {
    if (terminal) {
      redraw(progress);
    } else if (progress instanceof Progress.Downloading) {
      line(progress);
    }
    return true;
  }

  private void line(Progress progress) {
    long now = clock.getAsLong();
    if (!progress.doing().equals(file)) {
      file = progress.doing();
      to.println(String.format(Locale.ROOT, "%s (%s)", file, size(progress)));
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
    long percent = progress.complete() ? PERCENT : PERCENT * progress.done() / progress.total();
    return String.format(Locale.ROOT, "%s %3d%% of %s", progress.doing(), percent, size(progress));
  }

  private static String size(Progress progress) {
    return String.format(Locale.ROOT, "%.1f MB", progress.total() / MEGA);
  }
}
