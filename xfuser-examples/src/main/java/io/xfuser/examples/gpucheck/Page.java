package io.xfuser.examples.gpucheck;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The Markdown page that all parts write to, one after another. */
final class Page {
  @Option(names = "--page", required = true, description = "the file that sections are added to")
  private Path file = Path.of("");

  /** Adds a section. */
  void add(String title, List<String> lines) throws IOException {
    String text = "## " + title + "\n\n" + String.join("\n", lines) + "\n\n";
    Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** The first two lines of a table. */
  static List<String> header(String... titles) {
    return List.of(
        row(titles),
        List.of(titles).stream().map(x -> "---").collect(Collectors.joining("|", "|", "|")));
  }

  /** A line of a table. */
  static String row(String... cells) {
    return "| " + String.join(" | ", cells) + " |";
  }
}
