package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.model.PipelineProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model is described once, in few lines, whatever the strategies. */
class ModelSizesTest {
  private static final Path MODELS = Path.of("src/main/java/io/xfuser/models/internal");

  /** Without imports, whose number grows with the rooms and not with the model. */
  private static final int LINES = 850; // of all its kinds together

  /** What single files call a model's tensors is a table, and no part of what it computes. */
  private static final String TABLE = "Checkpoint.java";

  private static final Pattern STRATEGY =
      Pattern.compile(
          "ulysses|pipefusion|\\bring\\b|\\busp\\b|distrifusion|(tensor|cfg|data|sequence).?parallel",
          Pattern.CASE_INSENSITIVE);

  /** What several models have alike: rooms without a provider. */
  private static final Set<String> TRANSFORMERS = Set.of("adaln", "joint");

  private static final Set<String> OTHERS =
      Set.of("adapter", "files", "lora", "parts", "scheduler", "text", "vae", "weights");

  /** The packages of the models, which providers tell, and those that they share. */
  static Stream<String> rooms() {
    Stream<String> models =
        ServiceLoader.load(PipelineProvider.class).stream()
            .map(provider -> provider.type().getPackageName())
            .filter(name -> name.startsWith("io.xfuser.models.internal."))
            .map(name -> name.substring(name.lastIndexOf('.') + 1));
    return Stream.concat(models, TRANSFORMERS.stream()).distinct();
  }

  @ParameterizedTest
  @MethodSource("rooms")
  void packageHasFewLinesAndNamesNoStrategy(String model) throws IOException {
    List<String> lines = lines(MODELS.resolve(model));
    assertThat(lines).hasSizeBetween(1, LINES);
    assertThat(lines).noneMatch(line -> STRATEGY.matcher(line).find());
  }

  @Test
  void noOtherPackageIsAModel() throws IOException {
    try (Stream<Path> folders = Files.list(MODELS).filter(Files::isDirectory)) {
      assertThat(folders.map(folder -> folder.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(Stream.concat(rooms(), OTHERS.stream()).toList());
    }
  }

  private static List<String> lines(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> !file.toString().endsWith(TABLE))
          .flatMap(ModelSizesTest::content)
          .filter(line -> !line.startsWith("import "))
          .toList();
    }
  }

  private static Stream<String> content(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
