package io.xfuser.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.cli.CommandProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One of the ranks that make a picture is killed. */
class KilledRankTest {
  private static final Path MODEL =
      Path.of(
          "..", "xfuser-models/src/test/resources/fixtures/dit_tiny"); // no text encoder to compile

  @TempDir private Path directory = Path.of("");

  @Test
  void theOthersAreEndedWithinSecondsAndTheDeadRankIsShown() throws Exception {
    CommandProcess run =
        CommandProcess.start(
            XfRun.class,
            directory,
            Map.of(),
            "--nproc_per_node",
            "2",
            "XDiT",
            "--model",
            MODEL.toString(),
            "--class_labels=7",
            "--num_inference_steps=900",
            "--pipefusion_parallel_degree=2",
            "--output_directory",
            directory.resolve("pictures").toString());
    long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
    while (run.errLines().stream().noneMatch(line -> line.matches("step ([3-9]|\\d{2,})/900.*"))) {
      assertThat(System.nanoTime()).as("time; %s", run.errLines()).isLessThan(deadline);
      Thread.sleep(20);
    }
    List<ProcessHandle> ranks = // started in the order of rank
        ProcessHandle.of(run.pid())
            .orElseThrow()
            .children()
            .sorted(
                Comparator.comparing(
                        (ProcessHandle rank) -> rank.info().startInstant().orElseThrow())
                    .thenComparing(ProcessHandle::pid))
            .toList();
    assertThat(ranks).hasSize(2);
    assertThat(ranks.get(1).destroyForcibly()).isTrue();
    long killed = System.nanoTime();

    assertThat(run.await()).isEqualTo(137);
    assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(30));
    assertThat(ranks).noneMatch(CommandProcess::runs);
    List<String> told =
        run.errLines().stream().filter(line -> line.contains("rank 1")).distinct().toList();
    assertThat(told).last().isEqualTo("rank 1 ended with exit status 137 (SIGKILL)");
    assertThat(told).noneMatch(line -> line.startsWith("\tat "));
    assertThat(directory.resolve("pictures")).doesNotExist();
  }
}
