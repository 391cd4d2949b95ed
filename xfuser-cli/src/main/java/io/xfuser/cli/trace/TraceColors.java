package io.xfuser.cli.trace;

import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What colour means in the picture of a trace. */
final class TraceColors {
  static final String TEXT = "#333333";
  static final String LINE = "#d0d0d0";
  static final String SEND = "#222222";

  private static final String WHOLE = "#66758a";
  private static final String WAIT = "#ececec";

  /** Told apart by most colour-blind people; source: Okabe and Ito, "Color Universal Design". */
  private static final List<String> PATCHES =
      List.of("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b5a800");

  private TraceColors() {}

  /** The colour of a bar for {@code event}. */
  static String of(TraceEvent event) {
    MicroStep at = event.at();
    return switch (event.what()) {
      case WAIT -> WAIT;
      case SEND -> SEND;
      case LOAD -> "#c5b89a";
      case TEXT -> "#a58bc9";
      case DECODE -> "#8d6e63";
      case CONDITION, PREPARE, EMBED, BLOCKS, HEAD ->
          at == null || at.whole() ? WHOLE : PATCHES.get(at.from() % PATCHES.size());
    };
  }

  /** Colours by what they stand for, for a picture of {@code patches} patches. */
  static Map<String, String> legend(int patches) {
    Map<String, String> legend = new LinkedHashMap<>();
    legend.put("load", "#c5b89a");
    legend.put("text", "#a58bc9");
    legend.put("whole picture", WHOLE);
    for (int patch = 0; patch < Math.min(patches, PATCHES.size()) && patches > 1; patch++) {
      legend.put("patch " + (patch + 1), PATCHES.get(patch));
    }
    legend.put("decode", "#8d6e63");
    legend.put("wait", WAIT);
    return legend;
  }
}
