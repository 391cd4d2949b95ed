package io.xfuser.cli.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.cli.CommandProcess;
import io.xfuser.cli.RankProgram;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class XfRunTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void eachRankIsToldItsPlaceAndItsShareOfTheCores() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "3", "RankProgram", "environment");
    assertThat(run.await()).isZero();
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 3);
    assertThat(run.outLines())
        .contains("RANK=0", "LOCAL_RANK=0", "[rank 1] RANK=1", "[rank 2] LOCAL_RANK=2")
        .contains("WORLD_SIZE=3", "[rank 2] LOCAL_WORLD_SIZE=3", "MASTER_ADDR=127.0.0.1")
        .contains("OMP_NUM_THREADS=" + threads, "[rank 1] OMP_NUM_THREADS=" + threads)
        .hasSize(21);
    List<String> ports =
        run.outLines().stream().filter(line -> line.contains("MASTER_PORT=")).toList();
    assertThat(ports).hasSize(3).allMatch(line -> line.matches(".*MASTER_PORT=[1-9]\\d+"));
    assertThat(ports.stream().map(line -> line.replaceAll(".*=", "")).distinct()).hasSize(1);
    assertThat(run.errLines()).isEmpty();
  }

  @Test
  void theSecondNodesRanksFollowTheFirstsAndMeetAtTheGivenAddress() throws Exception {
    CommandProcess run =
        start(
            Map.of("OMP_NUM_THREADS", "5"),
            "--nproc-per-node=2",
            "--nnodes=2",
            "--node-rank=1",
            "--master-addr=10.1.2.3",
            "--master-port=1234",
            "io.xfuser.cli.RankProgram",
            "environment");
    assertThat(run.await()).isZero();
    assertThat(run.outLines())
        .contains("[rank 2] RANK=2", "[rank 3] RANK=3", "[rank 3] LOCAL_RANK=1")
        .contains("[rank 2] WORLD_SIZE=4", "[rank 2] LOCAL_WORLD_SIZE=2")
        .contains("[rank 3] MASTER_ADDR=10.1.2.3", "[rank 3] MASTER_PORT=1234")
        .contains("[rank 2] OMP_NUM_THREADS=5")
        .hasSize(14);
  }

  @Test
  void whatFollowsTheMainClassIsPassedOnAsItIs() throws Exception {
    String[] flags = {"arguments", "0", "--nproc_per_node", "9", "@file", "a b", "", "-h"};
    List<String> command = new ArrayList<>(List.of("--nproc_per_node", "1", "RankProgram"));
    command.addAll(List.of(flags));
    CommandProcess run = start(Map.of(), command.toArray(String[]::new));
    assertThat(run.await()).isZero();
    assertThat(run.outLines()).containsExactly(String.join("|", flags));
  }

  @Test
  void javaOptionsReachTheRanks() throws Exception {
    Map<String, String> options = Map.of("XFUSER_JAVA_OPTS", "-Xmx64m  -Drank.program=set");
    CommandProcess run = start(options, "RankProgram", "property");
    assertThat(run.await()).isZero();
    assertThat(run.outLines()).containsExactly("property=set");
  }

  @Test
  void linesOfSeveralRanksAreNotBroken() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "4", "RankProgram", "lines");
    assertThat(run.await()).isZero();
    for (int rank = 1; rank < 4; rank++) {
      String prefix = "[rank " + rank + "] ";
      String end = " of " + rank + " ends";
      assertThat(run.outLines().stream().filter(line -> line.endsWith(end)))
          .containsExactlyElementsOf(
              IntStream.range(0, 200).mapToObj(line -> prefix + "line " + line + end).toList());
    }
  }

  @Test
  void aSentenceAboutBadArgumentsIsShownOnce() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "3", "RankProgram", "usage");
    assertThat(run.await()).isEqualTo(2);
    assertThat(run.errLines()).containsExactly("--height 7 is not a multiple of 8");
    assertThat(run.outLines()).isEmpty();
  }

  @Test
  void differentSentencesOfRanksAreAllShown() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "2", "RankProgram", "own-usage");
    assertThat(run.await()).isEqualTo(2);
    assertThat(run.errLines())
        .containsExactlyInAnyOrder(
            "rank 0 cannot read its file", "[rank 1] rank 1 cannot read its file");
  }

  @Test
  void aTerminatedLauncherLeavesNoRankBehind() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "3", "RankProgram", "wait");
    while (run.outLines().size() < 3) {
      Thread.sleep(50);
    }
    List<Long> ranks =
        run.outLines().stream().map(line -> Long.valueOf(line.replaceAll(".*pid ", ""))).toList();
    assertThat(ranks).allMatch(XfRunTest::runs);

    RankProgram.send("-TERM", run.pid());

    assertThat(run.await()).isEqualTo(143);
    assertThat(ranks).noneMatch(XfRunTest::runs);
    assertThat(run.errLines()).isEmpty();
  }

  @Test
  void aKilledLaunchersRanksEndWithinSeconds() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "2", "RankProgram", "stubborn");
    while (run.outLines().size() < 2) {
      Thread.sleep(50);
    }
    List<Long> ranks =
        run.outLines().stream().map(line -> Long.valueOf(line.replaceAll(".*pid ", ""))).toList();

    RankProgram.send("-KILL", run.pid());

    long killed = System.nanoTime();
    while (ranks.stream().anyMatch(XfRunTest::runs)) {
      assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(5));
      Thread.sleep(50);
    }
    assertThat(run.errLines()) // rank 0's errors, and those of others, went through the launcher
        .isEmpty();
  }

  @Test
  void ranksOfOneHostGetAnIdAndASecretOfTheirRun() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "2", "RankProgram", "credentials");
    assertThat(run.await()).isZero();
    List<String> told =
        run.outLines().stream().map(line -> line.replace("[rank 1] ", "")).distinct().toList();
    assertThat(told).hasSize(2).allMatch(line -> line.matches("(job|secret) [0-9a-f-]{36,64}"));

    CommandProcess given =
        start(
            Map.of("XFUSER_SECRET", "0123456789abcdef"),
            "--nnodes=2",
            "--master_addr=10.1.2.3",
            "--node_rank=1",
            "RankProgram",
            "credentials");
    assertThat(given.await()).isZero();
    assertThat(given.outLines())
        .containsExactly("[rank 1] job null", "[rank 1] secret 0123456789abcdef");
  }

  @Test
  void aBusyPortIsFoundBeforeRanksStart() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      PrintStream stream = new PrintStream(err, true, UTF_8);
      String port = String.valueOf(taken.getLocalPort());
      String[] command = {"--nproc_per_node", "2", "--master_port", port, "RankProgram", "wait"};
      assertThat(XfRun.run(command, stream, stream)).isEqualTo(2);
      assertThat(err.toString(UTF_8))
          .startsWith(
              "xfrun: port %s of 127.0.0.1 is taken, by another run perhaps: --master_port"
                  .formatted(port));
    }
  }

  @ParameterizedTest
  @MethodSource
  void wrongArgumentsGiveOneSentence(String arguments, String sentence) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(err, true, UTF_8);
    assertThat(XfRun.run(arguments.split(" "), stream, stream)).isEqualTo(2);
    assertThat(err.toString(UTF_8)).isEqualTo("xfrun: " + sentence + System.lineSeparator());
  }

  static Stream<Arguments> wrongArgumentsGiveOneSentence() {
    return Stream.of(
        Arguments.of("--nproc_per_node 2", "Missing required parameter: 'MAIN'"),
        Arguments.of(
            "--nproc_per_node 0 RankProgram", "--nproc_per_node must be at least 1, but is 0"),
        Arguments.of(
            "--nproc_per_node x RankProgram",
            "Invalid value for option '--nproc_per_node': 'x' is not an int"),
        Arguments.of("--nproc 2 RankProgram", "Unknown option: '--nproc'"),
        Arguments.of(
            "--nnodes 2 RankProgram", "--nnodes 2 needs --master_addr, the address of node 0"),
        Arguments.of(
            "--nnodes 2 --node_rank 2 --master_addr a RankProgram",
            "--node_rank must be from 0 to 1 on 2 nodes, but is 2"),
        Arguments.of(
            "--master_port 70000 RankProgram",
            "--master_port must be from 1 to 65535, but is 70000"),
        Arguments.of(
            "NoSuchExample", "no class io.xfuser.examples.NoSuchExample on the class path"),
        Arguments.of("java.lang.String", "class java.lang.String has no public static main"));
  }

  private static boolean runs(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  private CommandProcess start(Map<String, String> environment, String... arguments)
      throws IOException {
    return CommandProcess.start(XfRun.class, directory, environment, arguments);
  }
}
