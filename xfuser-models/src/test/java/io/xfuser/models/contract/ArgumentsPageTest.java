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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of arguments says which model takes which, as the models do. */
class ArgumentsPageTest {
  private static final Path PAGE = Path.of("../docs/arguments.md");

  private static final String FILL = "Flux.1 Fill";
  private static final String KONTEXT = "Flux.1 Kontext";

  @TempDir Path scratch;

  /** Pipelines by the names of the columns. */
  private static final Map<String, String> MODELS = new LinkedHashMap<>();

  static {
    MODELS.put("PixArt-α", "pixart_alpha_tiny");
    MODELS.put("PixArt-Σ", "pixart_sigma_tiny");
    MODELS.put("SD 3, 3.5", "sd3_tiny");
    MODELS.put("Flux.1", "flux_dev_tiny");
    MODELS.put(FILL, "flux_dev_tiny");
    MODELS.put(KONTEXT, "flux_dev_tiny");
    MODELS.put("Z-Image", "zimage_tiny");
    MODELS.put("HunyuanDiT ≤ 1.1", "hunyuandit_tiny");
    MODELS.put("HunyuanDiT 1.2", "hunyuandit12_tiny");
    MODELS.put("Latte", "latte_tiny");
    MODELS.put("DiT", "dit_tiny");
  }

  @Test
  void thePageHasARowForEverySettingAndSaysWhatModelsSay() throws IOException {
    String table = table();
    assertThat(Files.readString(PAGE).replace("\r\n", "\n")).contains(table);
  }

  /** Of Flux's other transformers directories are made. */
  private Path directory(String column) throws IOException {
    Path model = Requests.directory(Objects.requireNonNull(MODELS.get(column)));
    return switch (column) {
      case FILL -> SourceCall.fill(model, Files.createDirectory(scratch.resolve("fill")));
      case KONTEXT -> Requests.kontext(model, scratch);
      default -> model;
    };
  }

  private String table() throws IOException {
    List<Set<Setting<?>>> taken = new ArrayList<>();
    for (String column : MODELS.keySet()) {
      EngineConfig engine = EngineConfig.of(directory(column));
      try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
        taken.add(pipeline.model().settings());
      }
    }
    StringBuilder table =
        new StringBuilder("| setting | " + String.join(" | ", MODELS.keySet()) + " |\n|---")
            .append("|---".repeat(MODELS.size()))
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
