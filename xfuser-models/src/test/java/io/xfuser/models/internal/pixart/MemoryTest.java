package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.models.contract.CoveringArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A JVM that generates for ever does not grow. */
class MemoryTest {
  private static final String MODEL = "src/test/resources/fixtures/pixart_sigma_tiny";

  /**
   * In a JVM of its own, whose heap is small and wholly resident from the start, so that only
   * native memory can grow. The optimizing compiler is off, and the other one compiles at the first
   * call: compilers take some 30 MB for themselves and their code as long as there is something to
   * compile, which is no tensor and comes to an end.
   */
  private static final List<String> COMMAND =
      List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "-Xms64m",
          "-Xmx64m",
          "-XX:+AlwaysPreTouch",
          "-XX:TieredStopAtLevel=1",
          "-Xcomp",
          "-cp",
          System.getProperty("java.class.path"),
          ManyGenerations.class.getName(),
          MODEL);

  /**
   * How many are the first, and how many all. Who grows undisturbed grows when disturbed, too,
   * which therefore is what is always tried.
   */
  static Stream<Arguments> generations() {
    return CoveringArray.ALL
        ? Stream.of(Arguments.of(20, 200, "undisturbed"), Arguments.of(20, 100, "disturbed"))
        : Stream.of(Arguments.of(8, 28, "disturbed"));
  }

  @ParameterizedTest
  @MethodSource("generations")
  @EnabledOnOs(OS.LINUX)
  @Timeout(300)
  void theResidentSetAfterAllGenerationsIsThatAfterTheFirst(int few, int pictures, String manner)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(COMMAND);
    command.addAll(List.of(String.valueOf(few), String.valueOf(pictures), manner));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    // else glibc's thresholds adapt, and it keeps more or less of what was freed, by chance
    builder.environment().put("MALLOC_TRIM_THRESHOLD_", "131072");
    // and has the more arenas the more cores there are, and the more threads that wait for one
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    Process process = builder.start();
    Map<Integer, Long> resident = new HashMap<>(); // KiB by number of generations
    try {
      process
          .inputReader()
          .lines()
          .map(line -> line.split(" "))
          .forEach(pair -> resident.put(Integer.valueOf(pair[0]), Long.valueOf(pair[1])));
      assertThat(process.waitFor()).isZero();
    } finally {
      process.destroyForcibly();
    }
    long early = resident.getOrDefault(few, 0L);
    long late = resident.getOrDefault(pictures, 0L);
    assertThat(early).isPositive();
    assertThat(late).isBetween(early * 9 / 10, early * 102 / 100);
  }
}
