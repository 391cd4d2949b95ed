package io.xfuser.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.cli.flags.XFuserArgs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What README.md and docs say of flags and files is true. */
class DocumentationTest {
  private static final Path PROJECT = Path.of("..");
  private static final String EMBEDDING =
      "xfuser-examples/embedding/src/main/java/example/Embedding.java";
  private static final Pattern FLAG = Pattern.compile("(?<![\\w-])--[A-Za-z][\\w-]*");
  private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#]+)");

  /** Flags of other programs. */
  private static final Set<String> FOREIGN =
      Set.of(
          "--no-python",
          "--rdzv-backend",
          "--rdzv-endpoint",
          "--rdzv-id",
          "--max-restarts",
          "--gpus-per-node",
          "--gpus-per-task",
          "--from-literal",
          "--target",
          "--enable-native-access",
          "--pack", // of scripts/gpu-check
          "--minutes",
          "--libtorch",
          "--any-libtorch");

  private static final Set<String> KNOWN = known();

  /** Lines that show a command with flags of its own. */
  private static final Pattern MEASUREMENT =
      Pattern.compile("scripts/(bench|checks|gpu-check|quality)");

  private static Set<String> known() {
    Set<String> known = flags(XFuserArgs.parse("--help").usage());
    known.addAll(flags(usageOfXfRun()));
    known.addAll(FOREIGN);
    known.add("--json"); // of "inspect"
    return known;
  }

  static Stream<Path> pages() throws IOException {
    Stream.Builder<Path> pages = Stream.builder();
    Stream.of("README.md", "CONTRIBUTING.md", "SECURITY.md").map(PROJECT::resolve).forEach(pages);
    try (Stream<Path> docs = Files.walk(PROJECT.resolve("docs"))) {
      docs.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
    }
    return pages.build();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everyFlagThatIsWrittenExists(Path page) throws IOException {
    String text =
        Files.readString(page)
            .lines()
            .filter(line -> !MEASUREMENT.matcher(line).find())
            .collect(Collectors.joining("\n"));
    assertThat(KNOWN).containsAll(flags(text));
  }

  @Test
  void theReadmeListsEveryFlagThatIsBuilt() throws IOException {
    String usage = XFuserArgs.parse("--help").usage();
    String built = usage.split("that are not supported yet, taken with", 2)[0];
    assertThat(flags(Files.readString(PROJECT.resolve("README.md")))).containsAll(flags(built));
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everyLinkLeadsToAFile(Path page) throws IOException {
    assertThat(
            LINK.matcher(Files.readString(page))
                .results()
                .map(link -> page.resolveSibling(link.group(1)))
                .filter(file -> !Files.exists(file)))
        .isEmpty();
  }

  @Test
  void theReadmeShowsTheEmbeddingExample() throws IOException {
    String source = Files.readString(PROJECT.resolve(EMBEDDING));
    String shown = source.substring(source.indexOf("  /** Takes"), source.lastIndexOf('}'));
    assertThat(Files.readString(PROJECT.resolve("README.md")))
        .contains("```java\n" + shown.stripTrailing().stripIndent() + "\n```");
  }

  private static String usageOfXfRun() {
    ByteArrayOutputStream usage = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(usage, true, StandardCharsets.UTF_8);
    assertThat(XfRun.run(new String[] {"--help"}, out, out)).isZero();
    return usage.toString(StandardCharsets.UTF_8);
  }

  /** All flags in {@code text}; dashes and underscores are the same. */
  private static Set<String> flags(String text) {
    return FLAG.matcher(text)
        .results()
        .map(flag -> flag.group().replace('_', '-'))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
