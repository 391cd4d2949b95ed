package io.xfuser.examples.scripts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
@DisabledOnOs(OS.WINDOWS)
class BuildTest {
  private static final String BUILD =
      ". \"$ROOT/scripts/lib.sh\"; find_java; build \"$ROOT\"; echo \"$BUILT\"";
  private static final String BUILDS =
      """
      echo '[INFO] Building xfuser core 0.1.0 [2/4]'
      echo '[INFO] Downloading from central: https://host/a/tiny-1.jar'
      echo '[INFO] Downloaded from central: https://host/a/tiny-1.jar (12 kB at 1 MB/s)'
      echo '[INFO] Downloaded from central: https://host/a/torch-2.jar (112 MB at 5.5 MB/s)'
      echo '[INFO] Compiling 9 source files with javac'
      mkdir -p xfuser-examples/target
      touch xfuser-examples/target/xfuser-examples-1.jar xfuser-examples/target/classpath.txt
      """;

  private @TempDir Path directory = Path.of("");
  private Checkout checkout;

  @BeforeEach
  void make() throws IOException {
    checkout = new Checkout(directory.resolve("a check out"));
  }

  @Test
  void aBuildTellsWhatItDownloadsAndCompilesAndKeepsWhatMavenWrote() throws Exception {
    checkout.maven(BUILDS);
    Checkout.Run run = checkout.run(Map.of(), BUILD);
    assertThat(run.status()).isZero();
    assertThat(run.err().get(0)).startsWith("building xfuser ");
    assertThat(run.err().subList(1, run.err().size()))
        .containsExactly(
            "  downloaded torch-2.jar, 112 MB",
            "  compiling xfuser core",
            "  archiving classes, which lets later commands start sooner");
    assertThat(Files.readAllLines(target("build.log")))
        .contains("[INFO] Building xfuser core 0.1.0 [2/4]");
    assertThat(checkout.run(Map.of(), BUILD).err()).as("a second time").isEmpty();
  }

  @Test
  void aFailedBuildShowsItsErrorsAndIsTriedAgain() throws Exception {
    checkout.maven("echo '[INFO] ok'; echo '[ERROR] no such host'; exit 1");
    for (int i = 0; i < 2; i++) {
      Checkout.Run run = checkout.run(Map.of(), BUILD);
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.err()).contains("[ERROR] no such host").doesNotContain("[INFO] ok");
      assertThat(run.err().get(run.err().size() - 1))
          .contains("the build failed")
          .endsWith("target/build.log");
    }
  }

  @Test
  void aCheckoutThatIsNotTheUsersIsBuiltInTheUsersCache() throws Exception {
    checkout.maven(BUILDS);
    Files.writeString(checkout.root().resolve("xfuser-core/src/main/file"), "text");
    Map<String, String> cache = Map.of("XDG_CACHE_HOME", directory.resolve("cache").toString());
    String others = BUILD.replace("find_java", "may_build() { return 1; }; find_java");
    Checkout.Run run = checkout.run(cache, others);
    assertThat(run.status()).as("%s", run.err()).isZero();
    Path built = Path.of(run.out().get(0));
    assertThat(built.getParent()).isEqualTo(directory.resolve("cache/xfuser-build"));
    assertThat(built.resolve("xfuser-core/src/main/file")).hasContent("text");
    assertThat(target("")).doesNotExist();
    assertThat(checkout.run(cache, others).err()).as("a second time").isEmpty();
  }

  @Test
  void aBuildWhoseLibrariesAreGoneOrClosedToThisUserIsNoBuild() throws Exception {
    checkout.maven(BUILDS);
    checkout.built("/nowhere/a.jar:/nowhere/b c.jar");
    assertThat(checkout.run(Map.of(), BUILD).err()).isNotEmpty();
  }

  /** Of a package that is in another module now, a file that is, and what stays beside them. */
  @ParameterizedTest
  @CsvSource({
    "'build \"$ROOT\"', main, classes, sources/annotations",
    "'run_test_main \"$ROOT\" Main', main, classes, sources/annotations",
    "'run_test_main \"$ROOT\" Main', test, test-classes, test-sources/test-annotations"
  })
  void whatEarlierBuildsLeftOfOtherModulesIsDropped(
      String call, String kind, String classes, String generated) throws Exception {
    Path core = checkout.root().resolve("xfuser-core");
    Path built = core.resolve("target").resolve(classes);
    List<String> stay =
        List.of(
            "META-INF/LICENSE",
            "io/xfuser/stays/Stays.class",
            "io/xfuser/stays/Stays$Inner$1.class",
            "io/xfuser/stays/Beside.class",
            "io/xfuser/stays/stays.py",
            "io/xfuser/made/Made.class");
    List<String> gone =
        List.of(
            "io/xfuser/moved/Moved.class",
            "io/xfuser/moved/moved.py",
            "io/xfuser/stays/Moved.class",
            "io/xfuser/stays/Moved$Stays.class",
            "io/xfuser/stays/moved.py");
    write(core.resolve("src/" + kind + "/java/io/xfuser/stays/Stays.java"), "final class Beside {");
    write(core.resolve("src/" + kind + "/resources/io/xfuser/stays/stays.py"), "");
    write(core.resolve("target/generated-" + generated + "/io/xfuser/made/Made.java"), "");
    write(core.resolve("target/xfuser-core-1.jar"), "");
    for (String file : Stream.concat(stay.stream(), gone.stream()).toList()) {
      write(built.resolve(file), "");
    }
    checkout.maven("find xfuser-core/target -type f >found; exit 1");
    checkout.run(Map.of(), BUILD.replace("build \"$ROOT\"", call));
    assertThat(Files.readAllLines(checkout.root().resolve("found")))
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(
                    stay.stream().map(file -> classes + "/" + file),
                    Stream.of("generated-" + generated + "/io/xfuser/made/Made.java"))
                .map("xfuser-core/target/"::concat)
                .toList());
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void aPathThatJavaCannotTakeIsNamed() throws Exception {
    Checkout colon = new Checkout(directory.resolve("a:b"));
    Checkout.Run run = colon.run(Map.of(), BUILD);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).hasSize(1).first().asString().contains("a path with a colon", "a:b");
  }

  private Path target(String name) {
    return checkout.root().resolve("xfuser-examples/target").resolve(name);
  }
}
