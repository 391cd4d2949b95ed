package io.xfuser.cli.runner;

import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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
public final class StepProgress implements ProgressListener, AutoCloseable {
  private static final int REDRAW_MILLIS = 200;

  /** What takes less is not worth a bar. */
  private static final long QUICK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** From one line to the next. */
  private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final PrintStream to;
  private final boolean terminal;
  private final LongSupplier clock;
  private @Nullable ProgressBar bar;
  private @Nullable Line line; // of that bar
  private String barName = "";
  private String phase = "";
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

  /** Goes on. */
  @Override
  public synchronized boolean progressed(Progress progress) {
    if (progress instanceof Progress.Denoising steps) {
      step(steps);
    } else {
      show(progress);
    }
    return true;
  }

  private void step(Progress.Denoising steps) {
    if (steps.done() == 0) {
      return;
    }
    String time = String.format(Locale.ROOT, "%.2f s/step", steps.seconds());
    if (terminal) {
      redraw(steps, time);
    } else {
      to.println("step " + steps.done() + "/" + steps.total() + ", " + time);
    }
  }

  /** Shows how far something else is, if it takes long. */
  private void show(Progress progress) {
    long now = clock.getAsLong();
    if (!progress.doing().equals(phase)) {
      phase = progress.doing();
      shown = now;
    }
    if (terminal && (isShown(progress) || now - shown > QUICK_NANOS)) {
      draw(progress).stepTo(progress.done());
    } else if (!terminal && now - shown > LINE_NANOS) {
      shown = now;
      to.println(progress.line());
    }
  }

  private boolean isShown(Progress progress) {
    return bar != null && barName.equals(progress.doing());
  }

  private void redraw(Progress.Denoising steps, String time) {
    if (steps.done() == 1) {
      close();
    }
    ProgressBar drawn = draw(steps);
    drawn.stepTo(steps.done());
    drawn.setExtraMessage(time);
  }

  /** The bar of this phase; another one is left as it is. */
  private ProgressBar draw(Progress progress) {
    String name = progress.doing();
    if (!barName.equals(name)) {
      close();
    }
    ProgressBar drawn = bar;
    if (drawn == null) {
      Line drawnLine = new Line(to);
      line = drawnLine;
      drawn =
          ProgressBar.builder()
              .setTaskName(name)
              .setInitialMax(progress.total())
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(REDRAW_MILLIS)
              .setConsumer(drawnLine)
              .build();
      bar = drawn;
      barName = name;
    }
    return drawn.maxHint(progress.total());
  }

  /** Leaves the bar as it is, and the next line free. */
  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
    if (line != null) {
      line.close();
      line = null;
    }
  }

  /**
   * A bar's line, which ends once: the library does not end that of a bar closed before it was
   * drawn.
   */
  private static final class Line extends ConsoleProgressBarConsumer {
    private final AtomicBoolean ended = new AtomicBoolean();

    Line(PrintStream to) {
      super(to);
    }

    @Override
    public void close() {
      if (!ended.getAndSet(true)) {
        super.close();
      }
    }
  }
}
