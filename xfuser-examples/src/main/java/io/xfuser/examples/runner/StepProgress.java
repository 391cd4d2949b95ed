package io.xfuser.examples.runner;

import io.xfuser.pipeline.Progress;
import io.xfuser.pipeline.StepListener;
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
 * otherwise. Steps that start from 1 again begin a new bar. What goes on before and after the steps
 * is shown if it takes long: by a bar of its own, or by a line from time to time.
 */
public final class StepProgress implements StepListener, AutoCloseable {
  private static final int REDRAW_MILLIS = 200;

  /** What takes less is not worth a bar. */
  private static final long QUICK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** From one line to the next. */
  private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final PrintStream to;
  private final boolean terminal;
  private final LongSupplier clock;
  private @Nullable ProgressBar bar;
  private String barName = "";
  private long lastStep;
  private Progress.@Nullable Phase phase;
  private long shown;

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

  /** Goes on. */
  @Override
  public boolean stepTaken(int step, int steps) {
    stepDone(step, steps);
    return true;
  }

  /** Goes on. */
  @Override
  public boolean progressed(Progress progress) {
    show(progress);
    return true;
  }

  /** Shows how far something else is, if it takes long. */
  private synchronized void show(Progress progress) {
    long now = clock.getAsLong();
    if (progress.phase() != phase) {
      phase = progress.phase();
      shown = now;
    }
    if (terminal && (isShown(progress) || now - shown > QUICK_NANOS)) {
      draw(progress.phase().label(), progress.total()).stepTo(progress.done());
    } else if (!terminal && now - shown > LINE_NANOS) {
      shown = now;
      to.printf(
          Locale.ROOT,
          "%s: %d/%d %s%n",
          progress.phase().label(),
          progress.done(),
          progress.total(),
          progress.phase().parts());
    }
  }

  private boolean isShown(Progress progress) {
    return bar != null && barName.equals(progress.phase().label());
  }

  private void redraw(int done, int total, String time) {
    if (done == 1) {
      close();
    }
    ProgressBar drawn = draw("denoising", total);
    drawn.stepTo(done);
    drawn.setExtraMessage(time);
  }

  /** The bar of this name; another one is left as it is. */
  private ProgressBar draw(String name, int total) {
    if (!barName.equals(name)) {
      close();
    }
    ProgressBar drawn = bar;
    if (drawn == null) {
      drawn =
          ProgressBar.builder()
              .setTaskName(name)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(REDRAW_MILLIS)
              .setConsumer(new ConsoleProgressBarConsumer(to))
              .build();
      bar = drawn;
      barName = name;
    }
    return drawn.maxHint(total);
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
