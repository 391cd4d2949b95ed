package io.xfuser.examples.scripts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

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
