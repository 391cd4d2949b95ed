package io.xfuser.models.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.internal.parallel.RankProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One of two or three ranks, each a process, is killed in a step of a generation or stopped while
 * it decodes, and the other way round with the profile {@code complete}. The others say which and
 * what it was doing, once and soon, and their JVMs go on.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.MethodName.class)
abstract class FailureDrill {
  private static final String MODEL =
      Path.of("src/test/resources/fixtures/pixart_sigma_tiny").toAbsolutePath().toString();

  @TempDir private Path directory = Path.of("");
  private final Set<Integer> lost = new HashSet<>();

  /** At least three, the living of which go on in the next drill. */
  abstract RankProcesses ranks() throws IOException;

  // a rank is a stage; the last one decodes; who is killed is not needed by the next drill

  @ParameterizedTest
  @CsvSource("2, in PipeFusion step 5 of 8")
  void whenARankIsKilledTheOthersNameItSoon(int victim, String phase) throws Exception {
    Drill drill = new Drill(victim, phase);
    run(drill, 3, "KILL", 60, "rank %d died while %s", Duration.ofSeconds(30));
  }

  @ParameterizedTest
  @CsvSource("1, decoding")
  void whenARankIsStoppedTheOthersNameItSoonAfterTheLimitOfSilence(int victim, String phase)
      throws Exception {
    String sentence = "rank %d has been silent for 4 s while %s";
    run(new Drill(victim, phase), 2, "STOP", 4, sentence, Duration.ofSeconds(30));
  }

  @Tag("complete")
  @Test
  void theSameHoldsInTheOtherSteps() throws Exception {
    for (String phase : List.of("in synchronous step 2 of 8", "decoding")) {
      whenARankIsKilledTheOthersNameItSoon(phase.equals("decoding") ? 2 : 1, phase);
    }
    for (String phase : List.of("in synchronous step 2 of 8", "in PipeFusion step 4 of 8")) {
      whenARankIsStoppedTheOthersNameItSoonAfterTheLimitOfSilence(1, phase);
    }
  }

  private void run(
      Drill drill, int ranks, String signal, int silence, String sentence, Duration limit)
      throws Exception {
    RankProcesses world = ranks();
    for (int rank = 0; rank < ranks; rank++) {
      if (lost.remove(rank)) {
        world.replace(rank);
      }
    }
    lost.add(drill.victim());
    world.join(ranks, true, silence, drill.toString());
    String number = world.tell(flags(ranks));
    world.rank(drill.victim()).await("ACTIVITY", Duration.ofSeconds(60));
    Thread.sleep(1000); // activities are told ten times a second, later on a busy machine
    world.rank(drill.victim()).signal(signal);
    long signalled = System.nanoTime();
    List<RankProcess> others = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      if (rank != drill.victim()) {
        others.add(world.rank(rank));
      }
    }
    for (RankProcess other : others) {
      assertThat(other.await("FAILED " + number, limit))
          .isEqualTo(sentence.formatted(drill.victim(), drill.phase()));
    }
    assertThat(Duration.ofNanos(System.nanoTime() - signalled)).isLessThan(limit);
    for (RankProcess other : others) {
      assertThat(other.await("GOES ON " + number, Duration.ofSeconds(120)))
          .contains("(1, 3, 112, 144)");
      assertThat(complaints(other))
          .filteredOn(line -> line.startsWith("FAILED " + number))
          .hasSize(1);
      assertThat(complaints(other)).allMatch(line -> line.startsWith("FAILED "));
    }
  }

  /** What a rank says beside its progress: on both outputs, so no stack trace either. */
  private static List<String> complaints(RankProcess rank) {
    return rank.lines().stream()
        .filter(
            line -> !line.matches("(DONE|CANCELLED|ACTIVITY|GOES ON|CLOSED).*|\\[.*\\] INFO .*"))
        .toList();
  }

  private List<String> flags(int ranks) {
    return List.of(
        "--model",
        MODEL,
        "--prompt",
        "a red fox",
        "--height=112",
        "--width=144",
        "--no_use_resolution_binning",
        "--num_inference_steps=8",
        "--pipefusion_parallel_degree=" + ranks,
        "--warmup_steps=3",
        "--output_directory",
        directory.toString());
  }

  /** Who is to end, and when. */
  record Drill(int victim, String phase) {
    @Override
    public String toString() {
      return "rank " + victim + " " + phase;
    }
  }
}
