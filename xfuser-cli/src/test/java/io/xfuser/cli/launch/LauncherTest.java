package io.xfuser.cli.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.cli.RankProgram;
import io.xfuser.failure.ArgumentException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class LauncherTest {
  private static final GracePeriods SHORT =
      new GracePeriods(Duration.ofMillis(300), Duration.ofMillis(700));

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Launcher launcher = new Launcher(stream(out), stream(err), SHORT);

  @Test
  void aFailedRankEndsTheOthersAndIsNamedWithItsLastLines() throws Exception {
    assertThat(launcher.run(secondNode(3, "fail", "4"))).isEqualTo(7);
    List<String> report =
        err.toString(UTF_8).lines().dropWhile(line -> line.startsWith("[")).toList();
    assertThat(report.get(0)).isEqualTo("rank 4 ended with exit status 7; its last lines:");
    assertThat(report.subList(1, report.size()))
        .containsExactlyElementsOf(
            IntStream.rangeClosed(11, 30).mapToObj(line -> "  | line " + line).toList());
  }

  @Test
  void moreProcessesThanAHostCanHaveAreRefused() {
    assertThatThrownBy(() -> LaunchTopology.local(1025))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("--launcher process starts at most 1024 ranks, but is asked for 1025");
  }

  @Test
  void aKilledRanksSignalIsNamed() throws Exception {
    assertThat(launcher.run(secondNode(2, "die", "3"))).isEqualTo(137);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "rank 3 ended with exit status 137 (SIGKILL); its last lines:", "  | about to die");
  }

  @Test
  void aRankThatIgnoresTerminationIsKilled() throws Exception {
    Thread killer =
        new Thread(
            () -> {
              try {
                RankProgram.send("-KILL", pid(2));
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    killer.start();
    assertThat(launcher.run(secondNode(2, "stubborn"))).isEqualTo(137);
    killer.join();
    assertThat(ProcessHandle.of(pid(2))).isEmpty();
    assertThat(ProcessHandle.of(pid(3))).isEmpty();
  }

  /** The process of {@code rank}, once it has written it. */
  private long pid(int rank) throws InterruptedException {
    String prefix = "[rank " + rank + "] pid ";
    while (true) {
      String text = out.toString(UTF_8);
      if (text.lines().filter(line -> line.contains("pid ")).count() == 2 && text.endsWith("\n")) {
        Stream<String> lines = text.lines().filter(line -> line.startsWith(prefix));
        return Long.parseLong(lines.findFirst().orElseThrow().substring(prefix.length()));
      }
      Thread.sleep(20);
    }
  }

  /** On a second node no rank is rank 0, which would have this JVM's own streams. */
  private static LaunchPlan secondNode(int ranks, String... arguments) {
    LaunchTopology placement = new LaunchTopology(ranks, 2, 1, "127.0.0.1", 1);
    return new LaunchPlan(RankProgram.class.getName(), List.of(arguments), placement);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, UTF_8);
  }
}
