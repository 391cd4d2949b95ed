package io.xfuser.cli.trace;

import io.xfuser.cli.trace.SvgText.Box;
import io.xfuser.cli.trace.SvgText.Font;
import io.xfuser.trace.RankTrace;
import io.xfuser.trace.RunTrace;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A trace as a picture: above the whole request, below the steps in which the pipeline fills. A row
 * is a rank, a bar's colour a patch, its number the patch's, a number above the row the step that
 * begins there.
 */
public final class TracePicture {
  private static final double WIDTH = 1200;
  private static final double LEFT = 60;
  private static final double RIGHT = 20;
  private static final double BAR = 24;
  private static final double ROW = 42;
  private static final double PANEL_TITLE = 26;
  private static final double AXIS = 30;
  private static final double LEGEND = 30;

  /** Steps that the lower panel shows. */
  private static final int STEPS_SHOWN = 4;

  /** The narrowest bar drawn, the narrowest that explains itself, and one with a number. */
  private static final double VISIBLE = 0.3;

  private static final double TIPPED = 2;
  private static final double NUMBERED = 12;

  private final RunTrace run;
  private final SvgText svg = new SvgText();
  private double y;

  private TracePicture(RunTrace run) {
    this.run = run;
  }

  /** The picture of {@code run} as SVG. */
  public static String svg(RunTrace run) {
    TracePicture picture = new TracePicture(run);
    picture.panel(
        new Panel(0, Math.max(1, run.nanos())),
        String.format(Locale.ROOT, "the whole request: %.2f s", run.nanos() / 1e9));
    picture.close();
    picture.legend();
    return picture.svg.file(WIDTH, picture.y);
  }

  /** The part of the time that a panel shows. */
  private record Panel(long from, long to) {
    double x(long time) {
      double share = (double) (Math.min(Math.max(time, from), to) - from) / (to - from);
      return LEFT + share * (WIDTH - LEFT - RIGHT);
    }
  }

  /** A panel of the steps around the first in which patches are pipelined. */
  private void close() {
    int first = Math.max(0, steps(at -> !at.whole()).mapToInt(MicroStep::step).min().orElse(0) - 1);
    int last =
        Math.min(
            first + STEPS_SHOWN, steps(at -> true).mapToInt(MicroStep::step).max().orElse(-1) + 1);
    List<TraceEvent> shown =
        events().filter(event -> step(event) >= first && step(event) < last).toList();
    if (shown.isEmpty()) {
      return;
    }
    long from = shown.stream().mapToLong(TraceEvent::start).min().orElseThrow();
    long to = shown.stream().mapToLong(TraceEvent::end).max().orElseThrow();
    panel(
        new Panel(from, Math.max(from + 1, to)),
        String.format(Locale.ROOT, "steps %d to %d: %.3f s", first + 1, last, (to - from) / 1e9));
  }

  private static int step(TraceEvent event) {
    MicroStep at = event.at();
    return at == null ? -1 : at.step();
  }

  private Stream<TraceEvent> events() {
    return run.ranks().stream().flatMap(rank -> rank.events().stream());
  }

  private Stream<MicroStep> steps(Predicate<MicroStep> which) {
    return events().flatMap(event -> Stream.ofNullable(event.at())).filter(which);
  }

  private void panel(Panel panel, String title) {
    svg.text(LEFT, y + PANEL_TITLE - 8, new Font(13, "start", TraceColors.TEXT), title);
    y += PANEL_TITLE;
    double bottom = y + ROW * run.ranks().size();
    axis(panel, bottom);
    for (RankTrace rank : run.ranks()) {
      row(panel, rank);
      y += ROW;
    }
    y = bottom + AXIS;
  }

  private void axis(Panel panel, double bottom) {
    double millis = (panel.to - panel.from) / 1e6;
    double tick = Math.pow(10, Math.floor(Math.log10(millis / 4)));
    while (millis / tick > 10) {
      tick *= 2;
    }
    for (int i = 0; i * tick <= millis; i++) {
      double x = panel.x(panel.from + Math.round(i * tick * 1e6));
      svg.vertical(x, y, bottom, TraceColors.LINE);
      svg.text(
          x,
          bottom + 14,
          new Font(10, "middle", TraceColors.TEXT),
          String.format(Locale.ROOT, tick < 1 ? "%.2f ms" : "%.0f ms", i * tick));
    }
  }

  private void row(Panel panel, RankTrace rank) {
    double top = y + ROW - BAR;
    svg.text(
        LEFT - 8, top + BAR / 2 + 4, new Font(12, "end", TraceColors.TEXT), "rank " + rank.rank());
    rank.events().stream()
        .filter(event -> event.end() >= panel.from && event.start() <= panel.to)
        // what lies within another bar is drawn after it
        .sorted(
            Comparator.comparingLong(TraceEvent::start)
                .thenComparing(Comparator.comparingLong(TraceEvent::nanos).reversed()))
        .forEach(event -> bar(panel, event, top));
    steps(panel, rank, top);
  }

  private void bar(Panel panel, TraceEvent event, double top) {
    double from = panel.x(event.start());
    double width = panel.x(event.end()) - from;
    if (event.what() == Activity.SEND) {
      svg.rectangle(
          new Box(from, top + BAR - 4, Math.max(1, width), 4), TraceColors.of(event), tip(event));
      return;
    }
    if (width < VISIBLE) {
      return;
    }
    svg.rectangle(
        new Box(from, top, width, BAR), TraceColors.of(event), width < TIPPED ? "" : tip(event));
    MicroStep at = event.at();
    if (event.what() == Activity.BLOCKS && at != null && !at.whole() && width >= NUMBERED) {
      svg.text(
          from + width / 2,
          top + BAR / 2 + 4,
          new Font(11, "middle", "white"),
          String.valueOf(at.from() + 1));
    }
  }

  private static String tip(TraceEvent event) {
    StringBuilder tip =
        new StringBuilder(
            String.format(Locale.ROOT, "%s %.3f ms", event.what().label(), event.nanos() / 1e6));
    MicroStep at = event.at();
    if (at != null) {
      tip.append(", step ").append(at.step() + 1);
      tip.append(at.whole() ? "" : ", patch " + (at.from() + 1));
    }
    TraceEvent.Message message = event.message();
    if (message != null) {
      tip.append(", ").append(message.axis().label()).append(' ').append(message.operation());
      tip.append(event.what() == Activity.SEND ? " to rank " : " from rank ")
          .append(message.peer());
      tip.append(", ").append(message.bytes()).append(" bytes");
    }
    return tip.toString();
  }

  /** Marks where each step's blocks begin on {@code rank}. */
  private void steps(Panel panel, RankTrace rank, double top) {
    int known = -1;
    double free = 0;
    for (TraceEvent event : rank.events()) {
      MicroStep at = event.at();
      if (event.what() != Activity.BLOCKS || at == null || at.step() == known) {
        continue;
      }
      known = at.step();
      if (event.start() < panel.from || event.start() >= panel.to) {
        continue;
      }
      double x = panel.x(event.start());
      svg.vertical(x, top - 12, top + BAR, TraceColors.TEXT);
      if (x >= free) {
        svg.text(
            x + 2, top - 4, new Font(10, "start", TraceColors.TEXT), String.valueOf(known + 1));
        free = x + 16;
      }
    }
  }

  private void legend() {
    double x = LEFT;
    int patches = steps(at -> true).mapToInt(MicroStep::patches).max().orElse(1);
    for (Map.Entry<String, String> entry : TraceColors.legend(patches).entrySet()) {
      svg.rectangle(new Box(x, y, 12, 12), entry.getValue(), "");
      svg.text(x + 16, y + 10, new Font(11, "start", TraceColors.TEXT), entry.getKey());
      x += 30 + 6.5 * entry.getKey().length();
    }
    svg.rectangle(new Box(x, y + 8, 12, 4), TraceColors.SEND, "");
    svg.text(
        x + 16, y + 10, new Font(11, "start", TraceColors.TEXT), "send; above a row: step begins");
    y += LEGEND;
  }
}
