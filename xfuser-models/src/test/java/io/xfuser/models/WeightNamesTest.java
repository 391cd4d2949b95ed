package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.ModelConfig;
import io.xfuser.models.contract.ShownPictures;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.transformer.Part;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What parts of transformers read and what their programs name is the same. */
class WeightNamesTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final Path PROGRAMS = Path.of("src/main/resources/io/xfuser/models/internal");

  /** Packages whose programs serve transformers of several others. */
  private static final List<String> SHARED = List.of("adaln", "joint", "parts");

  /** What programs put behind the name of a module: {@code products.py}, {@code prelude.py}. */
  private static final Pattern ENDS =
      Pattern.compile("(\\.linear_[12])?\\.(weight(_by_root|_kept(_\\d+)?|_type)?|bias)");

  private static final Pattern LITERAL = Pattern.compile("\"(\\w[\\w.-]*)\"");

  /** The names of the weights that the transformers of each package have. */
  private static final Map<String, Set<String>> READ = new TreeMap<>();

  @BeforeAll
  static void readAllParts() throws IOException {
    try (Stream<Path> fixtures = Files.list(FIXTURES)) {
      fixtures
          .filter(directory -> Files.exists(directory.resolve("model_index.json")))
          .forEach(directory -> read(ModelConfig.builder(directory).build()));
    }
    read(ShownPictures.with(FIXTURES.resolve("flux_dev_tiny"), "dev.safetensors"));
    Path dual = FIXTURES.resolve("sd35_medium_tiny");
    read(ShownPictures.from(ShownPictures.TIMED, dual, "medium.safetensors"));
    assertThat(READ).hasSizeGreaterThanOrEqualTo(7);
  }

  private static void read(ModelConfig config) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(config)) {
      TransformerSpec<?> spec = pipeline.model().transformer(Placement.CPU);
      List<Part> parts = new ArrayList<>();
      parts.add(spec.conditioner());
      parts.add(spec.embedding());
      parts.add(spec.head());
      for (int i = 0; i < spec.depth(); i++) {
        parts.add(spec.block(i, Share.WHOLE));
      }
      String room = spec.getClass().getPackageName().replaceAll(".*\\.", "");
      for (Part part : parts) {
        READ.computeIfAbsent(room, key -> new TreeSet<>()).addAll(part.weights().names());
        part.close();
      }
    }
  }

  @Test
  void everyWeightThatIsReadIsNamedByAProgram() throws IOException {
    Set<String> shared = literals(SHARED);
    for (String room : READ.keySet()) {
      Set<String> literals = literals(List.of(room));
      literals.addAll(shared);
      assertThat(READ.get(room))
          .as(room)
          .isNotEmpty()
          .allSatisfy(name -> assertThat(literals).anyMatch(literal -> names(literal, name)));
    }
  }

  @Test
  void everyNameInAProgramIsThatOfAWeight() throws IOException {
    for (String room : READ.keySet()) {
      assertNamed(room, literals(List.of(room)), READ.get(room));
    }
    Set<String> all = new TreeSet<>();
    READ.values().forEach(all::addAll);
    assertNamed("shared", literals(SHARED), all);
  }

  private static void assertNamed(String room, Set<String> literals, Set<String> weights) {
    assertThat(literals)
        .as(room)
        .allSatisfy(literal -> assertThat(weights).anyMatch(weight -> names(literal, weight)));
  }

  /** Whether {@code literal} is {@code weight}, its module, or all before a module's number. */
  private static boolean names(String literal, String weight) {
    return weight.equals(literal)
        || (literal.endsWith(".") && weight.startsWith(literal))
        || (weight.startsWith(literal)
            && ENDS.matcher(weight.substring(literal.length())).matches());
  }

  private static Set<String> literals(List<String> rooms) throws IOException {
    List<Path> programs = new ArrayList<>();
    for (String room : rooms) {
      try (Stream<Path> files = Files.list(PROGRAMS.resolve(room))) {
        files.filter(file -> file.toString().endsWith(".py")).forEach(programs::add);
      }
    }
    Set<String> literals = new TreeSet<>();
    for (Path program : programs) {
      Matcher literal = LITERAL.matcher(Files.readString(program));
      while (literal.find()) {
        literals.add(literal.group(1));
      }
    }
    return literals;
  }
}
