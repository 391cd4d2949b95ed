package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of arguments says which model takes which, as the models do. */
class ArgumentsPageTest {
  private static final Path PAGE = Path.of("../docs/arguments.md");

  /** Above the columns: of each a tiny pipeline, and after a colon what is made of it. */
  private static final Pattern COLUMNS =
      Pattern.compile("<!-- (?<pipelines>.*) -->\\R\\R\\| setting \\| (?<titles>.*) \\|");

  @TempDir Path scratch;

  @Test
  void thePageHasARowForEverySettingAndSaysWhatModelsSay() throws IOException {
    String page = Files.readString(PAGE).replace("\r\n", "\n");
    Matcher columns = COLUMNS.matcher(page);
    assertThat(columns.find()).isTrue();
    List<String> pipelines = List.of(columns.group("pipelines").split(" ", -1));
    assertThat(columns.group("titles").split(" \\| ", -1)).hasSize(pipelines.size());
    assertThat(page).contains(table(columns.group("titles"), pipelines));
  }

  /** Of some transformers directories are made. */
  private Path directory(String pipeline) throws IOException {
    String[] parts = pipeline.split(":", -1);
    Path model = Requests.directory(parts[0]);
    return switch (parts[parts.length - 1]) {
      case "fill" -> SourceCall.fill(model, Files.createDirectory(scratch.resolve("fill")));
      case "kontext" -> Requests.kontext(model, scratch);
      case "edit" ->
          Requests.qwenImageEdit(scratch.resolve("edit"), "QwenImageEditPlusPipeline").directory();
      default -> model;
    };
  }

  private String table(String titles, List<String> pipelines) throws IOException {
    List<Set<Setting<?>>> taken = new ArrayList<>();
    for (String pipeline : pipelines) {
      EngineConfig engine = EngineConfig.of(directory(pipeline));
      try (DiffusionPipeline opened = DiffusionPipeline.fromPretrained(engine.model())) {
        taken.add(opened.model().settings());
      }
    }
    StringBuilder table =
        new StringBuilder("| setting | " + titles + " |\n|---")
            .append("|---".repeat(pipelines.size()))
            .append("|\n");
    for (Setting<?> setting : InputConfig.SETTINGS) {
      table.append(
          taken.stream()
              .map(settings -> settings.contains(setting) ? "yes" : "–")
              .collect(Collectors.joining(" | ", "| `" + setting + "` | ", " |\n")));
    }
    return table.toString();
  }
}
