package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.model.GenerationRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The README's table has what the models fill in for what a request leaves open. */
class DefaultsTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures").toAbsolutePath();
  private static final Pattern SIZE =
      Pattern.compile("(\\d+)×(\\d+)(?: \\(`sample_size` (\\d+)\\)|, 16 frames)?");

  private @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = ':',
      value = {
        "PixArt-α: pixart_alpha_tiny",
        "PixArt-Σ: pixart_sigma_tiny",
        "Stable Diffusion 3, 3.5: sd3_tiny",
        "Stable Diffusion 3, 3.5: sd35_large_tiny",
        "Flux.1 schnell, dev: flux_schnell_tiny",
        "Flux.1 schnell, dev: flux_dev_tiny",
        "HunyuanDiT: hunyuandit12_tiny",
        "Latte: latte_plain_tiny",
        "DiT-XL: dit_tiny"
      })
  void theReadmeHasTheDefaultsOf(String model, String fixture) throws IOException {
    List<String> row = row(model);
    Matcher size = SIZE.matcher(row.get(2));
    assertThat(size.matches()).isTrue();
    GenerationRequest request = resolved(fixture, size.group(3));

    assertThat(request.scheduler().steps()).isEqualTo(Integer.parseInt(row.get(1)));
    boolean embedded = request.guidance().condition() > 0;
    assertThat(embedded ? request.guidance().condition() : request.guidance().scale())
        .isEqualTo(Double.parseDouble(row.get(3)));
    assertThat(request.text().maxSequenceLength())
        .isEqualTo(row.get(4).isEmpty() ? 0 : Integer.parseInt(row.get(4)));
    // Published autoencoders have 8 pixels along a latent's side.
    assertThat(List.of(8 * request.latents().height(), 8 * request.latents().width()))
        .isEqualTo(List.of(Integer.parseInt(size.group(1)), Integer.parseInt(size.group(2))));
  }

  private static List<String> row(String model) throws IOException {
    return Files.readString(Path.of("../README.md"))
        .lines()
        .filter(line -> line.startsWith("| " + model + " |"))
        .map(line -> Stream.of(line.substring(1).split("\\|", -1)).map(String::strip).toList())
        .findFirst()
        .orElseThrow();
  }

  /** The request that leaves all open, of {@code fixture} with another {@code sample_size}. */
  private GenerationRequest resolved(String fixture, String sampleSize) throws IOException {
    Path from = FIXTURES.resolve(fixture);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path link = directory.resolve(from.relativize(file));
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, file);
      }
    }
    if (sampleSize != null) {
      JsonMapper json = new JsonMapper();
      Path config = directory.resolve("transformer/config.json");
      ObjectNode settings = (ObjectNode) json.readTree(config.toFile());
      Files.delete(config);
      settings.put("sample_size", Integer.parseInt(sampleSize));
      settings.put("pos_embed_max_size", 192); // as published; some models have none
      json.writeValue(config.toFile(), settings);
    }
    InputConfig open =
        fixture.startsWith("dit")
            ? InputConfig.builder().classLabels(List.of(1)).build()
            : InputConfig.builder("a fox").build();
    ModelConfig model = ModelConfig.builder(directory).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      return pipeline.model().resolve(open);
    }
  }
}
