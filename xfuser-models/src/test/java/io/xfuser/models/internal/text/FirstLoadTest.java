package io.xfuser.models.internal.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.util.Utils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirstLoadTest {
  /** In a JVM of its own, for libraries are loaded once. */
  @Test
  void librariesThatCannotBeUnpackedNameFolderAndReasonAndAreTriedAgain(@TempDir Path temporary)
      throws IOException, InterruptedException {
    Path file = Files.createFile(temporary.resolve("file"));
    Path out = temporary.resolve("out");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            FirstLoad.class.getName(),
            file.toString(),
            Utils.getCacheDir().toString());
    builder.environment().keySet().removeAll(List.of("OPT_OUT_TRACKING", "DJL_CACHE_DIR"));
    Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    assertThat(process.waitFor()).describedAs(Files.readString(out)).isZero();
    List<String> lines = Files.readAllLines(out, UTF_8);
    for (String library : List.of("pytorch", "sentencepiece", "tokenizers")) {
      assertThat(lines)
          .anyMatch(
              line ->
                  line.contains(" cannot be unpacked into " + file.resolve(library))
                      && line.contains("Not a directory")
                      && line.contains("set DJL_CACHE_DIR"));
    }
    assertThat(lines.get(lines.size() - 1)).isEqualTo("works now, reported: 0");
    assertThat(lines).noneMatch(line -> line.contains("graph executor optimizer"));
  }
}
