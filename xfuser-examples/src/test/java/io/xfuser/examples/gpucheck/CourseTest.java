package io.xfuser.examples.gpucheck;

import static io.xfuser.examples.gpucheck.FakePart.ending;
import static io.xfuser.examples.gpucheck.FakePart.run;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.cli.CommandProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
@DisabledOnOs(OS.WINDOWS)
class CourseTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void anExperimentThatHangsThrowsOrDiesKeepsItsFindingsAndStopsNoOther() throws IOException {
    int status =
        run(
            page(),
            List.of(
                ending(1, "hangs", 1, 8),
                ending(2, "throws", 1, 60),
                ending(3, "dies", 1, 60),
                ending(4, "ends", 1, 60)),
            1000);
    assertThat(status).isEqualTo(1);
    assertThat(experiments()).hasSize(4).allMatch(one -> one.get("rows").size() == 1);
    assertThat(state(0)).isEqualTo("no end in 8 s");
    assertThat(state(1)).startsWith("failed with exit status 1: ").endsWith(": no such luck");
    assertThat(state(2)).startsWith("its JVM was killed by signal 9");
    assertThat(state(3)).isEqualTo("ended");
    assertThat(Files.readString(page()))
        .contains(
            "**beware**\n",
            "| 1 | hangs | no end in 8 s | ",
            " | it dies after 0.25 |\n",
            "\n## 4. Does it?\n\n| a\\|b | number |\n|---|---|\n| ends | 0.333 |\n");
    assertThat(experiments().get(0).get("rows").get(0).get("number").asDouble()).isEqualTo(1.0 / 3);
  }

  @Test
  void whatFitsIntoTheTimeIsRunInOrder() throws IOException {
    Instant start = Instant.now();
    int status =
        run(
            page(),
            List.of(
                ending(1, "throws", 100, 600), ending(2, "hangs", 1, 600), ending(3, "ends", 3, 9)),
            3);
    assertThat(status).isEqualTo(1);
    assertThat(state(0)).matches("left out: takes 100 s, and \\d are left");
    assertThat(state(1)).matches("no end in [\\d.]+ s");
    assertThat(state(2)).matches("left out: takes 3 s, and -?\\d are left");
    assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void nothingElseIsTriedWhereTheFirstIsRefused() throws IOException {
    assertThat(run(page(), List.of(ending(1, "refuses", 1, 60), ending(2, "ends", 1, 60)), 1000))
        .isEqualTo(2);
    assertThat(experiments()).hasSize(1);
    assertThat(state(0)).isEqualTo("refused");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRunThatIsCutKeepsWhatItHasFoundAndLeavesNoProcessBehind(boolean killed) throws Exception {
    Process course =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", // and so do those that it starts
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                FakePart.class.getName(),
                "course",
                page().toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    await(() -> Files.exists(json()) && experiments().size() == 1 && has("decides"));
    List<ProcessHandle> children = course.descendants().toList();
    assertThat(children).isNotEmpty();
    if (killed) {
      course.destroyForcibly();
    } else {
      course.destroy();
    }
    assertThat(course.waitFor(20, TimeUnit.SECONDS)).isTrue();
    await(() -> children.stream().noneMatch(CommandProcess::runs));
    assertThat(state(0)).isEqualTo("begun, not ended");
    assertThat(experiments().get(0).get("decides").get(0).asText())
        .isEqualTo("it hangs after 0.25");
    assertThat(Files.readString(page())).contains("| 1 | hangs | begun, not ended |");
  }

  @ParameterizedTest
  @CsvSource({
    "0.000123, 1.2e-04",
    "-2, -2",
    "0.12345, 0.123",
    "1234.5, 1230",
    "4096, 4096",
    "Infinity, Infinity"
  })
  void numbersAreShownByThreeDigits(double number, String text) {
    assertThat(Numbers.text(number)).isEqualTo(text);
  }

  private boolean has(String kind) {
    return experiments().get(0).path(kind).size() > 0;
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(50);
    }
  }

  private Path page() {
    return folder.resolve("page.md");
  }

  private Path json() {
    return folder.resolve("page.json");
  }

  private String state(int experiment) {
    return experiments().get(experiment).get("state").asText();
  }

  private List<JsonNode> experiments() {
    try {
      return new ObjectMapper().readTree(json().toFile()).get("experiments").valueStream().toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
