package io.xfuser.examples.gpucheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The results as Markdown: first what was decided, then each experiment with its tables. */
final class ResultsPage {
  private ResultsPage() {}

  static String of(JsonNode results) {
    StringBuilder page = new StringBuilder("# gpu-check\n\n");
    page.append("`").append(results.path("command").asText()).append("`, begun ");
    page.append(results.path("started").asText()).append(".\n\n");
    results.path("warnings").forEach(x -> page.append("**").append(x.asText()).append("**\n\n"));
    page.append("| # | experiment | ended | s | decides |\n|---|---|---|---|---|\n");
    for (JsonNode one : results.path("experiments")) {
      page.append(
          row(
              List.of(
                  one.path("number").asText(),
                  one.path("name").asText(),
                  one.path("state").asText(),
                  one.path("seconds").asText(),
                  texts(one.path(Findings.DECIDES)).collect(Collectors.joining("; ")))));
    }
    results.path("experiments").forEach(one -> page.append(section(one)));
    return page.toString();
  }

  private static String section(JsonNode one) {
    if (one.path("rows").isEmpty() && one.path(Findings.NOTE).isEmpty()) {
      return "";
    }
    StringBuilder section = new StringBuilder("\n## ");
    section.append(one.path("number").asText()).append(". ");
    section.append(one.path("question").asText()).append("\n");
    texts(one.path(Findings.NOTE)).forEach(note -> section.append("\n").append(note).append("\n"));
    section.append(tables(one.path("rows")));
    return section.toString();
  }

  private static String tables(JsonNode rows) {
    StringBuilder tables = new StringBuilder();
    List<String> titles = List.of();
    for (JsonNode row : rows) {
      List<String> own = new ArrayList<>();
      row.fieldNames().forEachRemaining(own::add);
      if (!own.equals(titles)) {
        titles = own;
        tables.append("\n").append(row(own)).append("|").append("---|".repeat(own.size()));
        tables.append("\n");
      }
      tables.append(row(own.stream().map(title -> cell(row.get(title))).toList()));
    }
    return tables.toString();
  }

  private static String cell(JsonNode value) {
    return value.isNumber() ? Numbers.text(value.asDouble()) : value.asText();
  }

  private static String row(List<String> cells) {
    return cells.stream()
        .map(cell -> cell.replace("|", "\\|").replace("\n", " "))
        .collect(Collectors.joining(" | ", "| ", " |\n"));
  }

  private static Stream<String> texts(JsonNode array) {
    return array.valueStream().map(JsonNode::asText);
  }
}
