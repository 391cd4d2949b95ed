package io.xfuser.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the modules' jars carry beside their classes. */
class JarsTest {
  private static final String METADATA = "META-INF/native-image/";

  static Stream<Path> modules() throws IOException {
    try (Stream<Path> folders = Files.list(Path.of(".."))) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("src/main/resources")))
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("modules")
  void aNativeImageIsToldOfEveryResource(Path module) throws IOException {
    Path resources = module.resolve("src/main/resources");
    Path told =
        resources.resolve(
            METADATA + "io.xfuser/%s/resource-config.json".formatted(module.getFileName()));
    JsonNode includes = new JsonMapper().readTree(told.toFile()).at("/resources/includes");
    List<Pattern> patterns =
        StreamSupport.stream(includes.spliterator(), false)
            .map(include -> Pattern.compile(include.path("pattern").asText()))
            .toList();
    assertThat(patterns)
        .allSatisfy(one -> assertThat(names(resources)).anyMatch(one.asMatchPredicate()));
    assertThat(names(resources))
        .filteredOn(name -> !name.startsWith(METADATA) && !name.startsWith("META-INF/LICENSE"))
        .allMatch(name -> patterns.stream().anyMatch(one -> one.matcher(name).matches()));
  }

  private static List<String> names(Path resources) throws IOException {
    try (Stream<Path> files = Files.walk(resources)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> resources.relativize(file).toString().replace('\\', '/'))
          .toList();
    }
  }
}
