package io.xfuser.examples.gpucheck;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What an experiment has found, told line by line on its standard output, so that what came before
 * a crash stays: {@code {"row": {…}}} of a table, {@code {"decides": "…"}} and {@code {"note":
 * "…"}}. Other lines are for the reader of the terminal.
 */
final class Findings {
  static final String ROW = "row";
  static final String DECIDES = "decides";
  static final String NOTE = "note";

  private static final Set<String> KINDS = Set.of(ROW, DECIDES, NOTE);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final PrintStream out;

  Findings(PrintStream out) {
    this.out = out;
  }

  /** To the process that has started this one. */
  static Findings told() {
    return new Findings(System.out);
  }

  /** A row of a table: titles and values in turn. Rows of equal titles make one table. */
  void row(Object... cells) {
    Map<String, Object> row = new LinkedHashMap<>();
    for (int i = 0; i < cells.length; i += 2) {
      row.put(String.valueOf(cells[i]), cells[i + 1]);
    }
    tell(ROW, row);
  }

  /** The sentence that the result decides. */
  void decides(String sentence, Object... numbers) {
    tell(DECIDES, Numbers.format(sentence, numbers));
  }

  /** Whatever else a reader should know. */
  void note(String sentence, Object... numbers) {
    tell(NOTE, Numbers.format(sentence, numbers));
  }

  private void tell(String kind, Object what) {
    try {
      out.println(JSON.writeValueAsString(Map.of(kind, what)));
      out.flush();
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** The finding in a line, if it is one. */
  static Optional<JsonNode> read(String line) {
    if (!line.startsWith("{")) {
      return Optional.empty();
    }
    try {
      JsonNode found = JSON.readTree(line);
      return found.size() == 1 && KINDS.contains(found.fieldNames().next())
          ? Optional.of(found)
          : Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.empty(); // cut off, or somebody else's
    }
  }
}
