package io.xfuser.examples.gpucheck;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * Everything that was found so far, in a file of JSON and, for readers, in a page of Markdown. Both
 * are replaced as a whole with each finding, so that a run which ends at any moment leaves two
 * complete files behind.
 */
final class Results {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path json;
  private final Path page;
  private final ObjectNode all;
  private final ArrayNode experiments;

  /**
   * Begins both files.
   *
   * @param page the page; the JSON lies beside it, named alike
   */
  Results(Path page, String command, List<String> warnings) throws IOException {
    this.page = page.toAbsolutePath();
    this.json = this.page.resolveSibling(withoutEnding(page) + ".json");
    Files.createDirectories(this.page.getParent());
    this.all = JSON.createObjectNode().put("command", command);
    all.put("started", Machine.now());
    ArrayNode told = all.putArray("warnings");
    warnings.forEach(told::add);
    this.experiments = all.putArray("experiments");
    write();
  }

  private static String withoutEnding(Path page) {
    return page.getFileName().toString().replaceFirst("\\.md$", "");
  }

  /** Both files. */
  String files() {
    return page + " and " + json.getFileName();
  }

  /** The findings of one experiment. */
  final class Entry {
    private final ObjectNode node;

    private Entry(ObjectNode node) {
      this.node = node;
    }

    /** Adds a finding. */
    void add(JsonNode finding) throws IOException {
      String kind = finding.fieldNames().next();
      node.withArray(kind.equals(Findings.ROW) ? "rows" : kind).add(finding.get(kind));
      write();
    }

    /** How it ended; nothing follows. */
    void end(String state, double seconds) throws IOException {
      node.put("state", state).put("seconds", Math.round(seconds * 10) / 10.0);
      write();
    }
  }

  /** Begins an experiment, which has not ended as long as nothing else is told. */
  Entry begin(Experiment experiment) throws IOException {
    Entry entry = new Entry(experiments.addObject());
    entry.node.put("number", experiment.number()).put("name", experiment.name());
    entry.node.put("question", experiment.question()).put("state", "begun, not ended");
    write();
    return entry;
  }

  private void write() throws IOException {
    replace(
        json,
        JSON.writer(
                    new DefaultPrettyPrinter()
                        .withArrayIndenter(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE))
                .writeValueAsString(all)
            + "\n");
    replace(page, ResultsPage.of(all));
  }

  private static void replace(Path file, String text) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(fresh, text);
    Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }
}
