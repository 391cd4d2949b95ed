package io.xfuser.cli.runner;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.MemoryException;
import io.xfuser.internal.files.ModelAssembler;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/** {@code inspect FILE_OR_DIR}: says what a file or a directory is, without reading weights. */
final class Inspect {
  /** The word before the flags. */
  static final String COMMAND = "inspect";

  private static final String JSON = "--json";

  private Inspect() {}

  /** Prints what {@code argv}, without the command, names. */
  static void run(PrintStream out, List<String> argv) {
    List<String> places = new ArrayList<>(argv);
    boolean json = places.remove(JSON);
    if (places.size() != 1 || places.get(0).startsWith("-")) {
      throw new ArgumentException(
          "inspect takes a file or a directory, and " + JSON + ", but not " + places);
    }
    Map<String, Object> report =
        ServiceLoader.load(ModelAssembler.class)
            .findFirst()
            .orElseThrow(() -> new ArgumentException("nothing here knows files of models"))
            .inspect(Path.of(places.get(0)));
    out.println(json ? json(report) : text(report, ""));
  }

  /** A line for each value, those of lists and maps indented below their names. */
  private static String text(Map<?, ?> values, String indent) {
    List<String> lines = new ArrayList<>();
    values.forEach(
        (name, value) -> {
          String start = indent + name + ":";
          if (value instanceof Map<?, ?> map) {
            lines.add(map.isEmpty() ? start + " none" : start);
            lines.add(text(map, indent + "  "));
          } else if (value instanceof List<?> list
              && list.stream().anyMatch(Map.class::isInstance)) {
            lines.add(start);
            list.forEach(item -> lines.add(text((Map<?, ?>) item, indent + "  ") + "\n"));
          } else {
            lines.add(start + " " + shown(String.valueOf(name), value));
          }
        });
    lines.removeIf(String::isEmpty);
    return String.join("\n", lines);
  }

  private static String shown(String name, Object value) {
    if (name.equals("bytes") && value instanceof Number bytes) {
      return MemoryException.amount(bytes.doubleValue());
    }
    return value instanceof List<?> list && list.isEmpty() ? "nothing" : String.valueOf(value);
  }

  private static String json(Map<String, Object> report) {
    try {
      return new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(report);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // texts, numbers, lists and maps
    }
  }
}
