package io.xfuser.examples.runner;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows how far the denoising is and what a step takes: a bar on a terminal, a line for each step
 * otherwise. Steps that start from 1 again begin a new bar.
 */
public final class StepProgress implements AutoCloseable {
  private static final int REDRAW_MILLIS = 200;
  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final PrintStream to;
  private final boolean terminal;
  private final LongSupplier clock;
  private @Nullable ProgressBar bar;
  private long lastStep;

  /**
   * Shows nothing yet.
   *
   * @param to where to show it
   * @param terminal whether {@code to} is a terminal, on which a line can be redrawn
   * @param clock the time in nanoseconds
   */
  StepProgress(PrintStream to, boolean terminal, LongSupplier clock) {
    this.to = to;
    this.terminal = terminal;
    this.clock = clock;
  }

  /** Shows that {@code done} of {@code total} steps are done; the first is number 1. */
  public synchronized void stepDone(int done, int total) {
    long now = clock.getAsLong();
    String time =
        done == 1
            ? ""
            : String.format(Locale.ROOT, "%.2f s/step", (now - lastStep) / NANOS_PER_SECOND);
    lastStep = now;
    if (terminal) {
      redraw(done, total, time);
    } else {
      to.println("step " + done + "/" + total + (time.isEmpty() ? "" : ", " + time));
    }
  }

  private void redraw(int done, int total, String time) {
    if (done == 1) {
      close();
    }
    if (bar == null) {
      bar =
          ProgressBar.builder()
              .setTaskName("denoising")
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(REDRAW_MILLIS)
              .setConsumer(new ConsoleProgressBarConsumer(to))
              .build();
    }
    bar.stepTo(done);
    bar.setExtraMessage(time);
  }

  /** Leaves the bar as it is, and the next line free. */
  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
