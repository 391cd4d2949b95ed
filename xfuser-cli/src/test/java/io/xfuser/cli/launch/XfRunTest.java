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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class XfRunTest {
  /** Passed on as they are, though some of them look like the launcher's own. */
  private static final List<String> PASSED =
      List.of("told", "--nproc_per_node", "9", "@file", "a b", "", "-h");

  private static final int TOLD = 11; // lines of what a rank is told
  private static final int LINES = 200; // and of all but rank 0, to see whether they are broken

  /** Three ranks of one host, which say what they are told. */
  private static CommandProcess told;

  @TempDir private Path directory = Path.of("");

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    Map<String, String> options = Map.of("XFUSER_JAVA_OPTS", "-Xmx64m  -Drank.program=set");
    List<String> command = new ArrayList<>(List.of("--nproc_per_node", "3", "RankProgram"));
    command.addAll(PASSED);
    told = CommandProcess.start(XfRun.class, folder, options, command.toArray(String[]::new));
    assertThat(told.await()).isZero();
  }

  @Test
  void eachRankIsToldItsPlaceAndItsShareOfTheCores() throws Exception {
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 3);
    assertThat(told.outLines())
        .contains("RANK=0", "LOCAL_RANK=0", "[rank 1] RANK=1", "[rank 2] LOCAL_RANK=2")
        .contains("WORLD_SIZE=3", "[rank 2] LOCAL_WORLD_SIZE=3", "MASTER_ADDR=127.0.0.1")
        .contains("OMP_NUM_THREADS=" + threads, "[rank 1] OMP_NUM_THREADS=" + threads)
        .hasSize(3 * TOLD + 2 * LINES);
    List<String> ports =
        told.outLines().stream().filter(line -> line.contains("MASTER_PORT=")).toList();
    assertThat(ports).hasSize(3).allMatch(line -> line.matches(".*MASTER_PORT=[1-9]\\d+"));
    assertThat(ports.stream().map(line -> line.replaceAll(".*=", "")).distinct()).hasSize(1);
    assertThat(told.errLines()).isEmpty();
  }

  @Test
  void theSecondNodesRanksFollowTheFirstsAndMeetAtTheGivenAddressWithTheGivenSecret()
      throws Exception {
    CommandProcess run =
        start(
            Map.of("OMP_NUM_THREADS", "5", "XFUSER_SECRET", "0123456789abcdef"),
            "--nproc-per-node=2",
            "--nnodes=2",
            "--node-rank=1",
            "--master-addr=10.1.2.3",
            "--master-port=1234",
            "io.xfuser.cli.RankProgram",
            "told");
    assertThat(run.await()).isZero();
    assertThat(run.outLines())
        .contains("[rank 2] RANK=2", "[rank 3] RANK=3", "[rank 3] LOCAL_RANK=1")
        .contains("[rank 2] WORLD_SIZE=4", "[rank 2] LOCAL_WORLD_SIZE=2")
        .contains("[rank 3] MASTER_ADDR=10.1.2.3", "[rank 3] MASTER_PORT=1234")
        .contains("[rank 2] OMP_NUM_THREADS=5")
        .contains("[rank 2] job null", "[rank 2] secret 0123456789abcdef")
        .hasSize(2 * TOLD + 2 * LINES);
  }

  @Test
  void whatFollowsTheMainClassIsPassedOnAsItIs() throws Exception {
    assertThat(told.outLines()).contains(String.join("|", PASSED));
  }

  @Test
  void javaOptionsReachTheRanks() throws Exception {
    assertThat(told.outLines()).contains("property=set", "[rank 2] property=set");
  }

  @Test
  void linesOfSeveralRanksAreNotBroken() throws Exception {
    for (int rank = 1; rank < 3; rank++) {
      String prefix = "[rank " + rank + "] ";
      String end = " of " + rank + " ends";
      assertThat(told.outLines().stream().filter(line -> line.endsWith(end)))
          .containsExactlyElementsOf(
              IntStream.range(0, LINES).mapToObj(line -> prefix + "line " + line + end).toList());
    }
  }

  @Test
  void ranksOfOneHostGetAnIdAndASecretOfTheirRun() throws Exception {
    List<String> given =
        told.outLines().stream()
            .map(line -> line.replaceFirst("^\\[rank \\d] ", ""))
            .filter(line -> line.startsWith("job ") || line.startsWith("secret "))
            .toList();
    assertThat(given).hasSize(6);
    assertThat(given.stream().distinct())
        .hasSize(2)
        .allMatch(line -> line.matches("(job|secret) [0-9a-f-]{36,64}"));
  }

  @Test
  void aSentenceAboutBadArgumentsIsShownOnce() {
    assertThat(refused("--nproc_per_node", "2", "RankProgram", "usage"))
        .containsExactly("--height 7 is not a multiple of 8");
  }

  @Test
  void differentSentencesOfRanksAreAllShown() {
    assertThat(refused("--nproc_per_node", "2", "RankProgram", "own-usage"))
        .containsExactlyInAnyOrder(
            "rank 0 cannot read its file", "[rank 1] rank 1 cannot read its file");
  }

  /** What a launcher in this JVM writes about ranks that refuse their arguments. */
  private static List<String> refused(String... command) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        XfRun.run(command, new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
    assertThat(status).isEqualTo(2);
    assertThat(out.size()).isZero();
    return err.toString(UTF_8).lines().toList();
  }

  @Test
  void aTerminatedLauncherLeavesNoRankBehind() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "2", "RankProgram", "wait");
    List<Long> ranks = pids(run);
    assertThat(ranks).allMatch(XfRunTest::runs);

    RankProgram.send("-TERM", run.pid());

    assertThat(run.await()).isEqualTo(143);
    assertThat(ranks).noneMatch(XfRunTest::runs);
    assertThat(run.errLines()).isEmpty();
  }

  @Test
  void aKilledLaunchersRanksEndWithinSeconds() throws Exception {
    CommandProcess run = start(Map.of(), "--nproc_per_node", "2", "RankProgram", "stubborn");
    List<Long> ranks = pids(run);

    RankProgram.send("-KILL", run.pid());

    long killed = System.nanoTime();
    while (ranks.stream().anyMatch(XfRunTest::runs)) {
      assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(30));
      Thread.sleep(50);
    }
    assertThat(run.errLines()) // rank 0's errors, and those of others, went through the launcher
        .isEmpty();
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
            "--nproc_per_node 1025 RankProgram",
            "--nproc_per_node must be at most 1024, but is 1025"),
        Arguments.of(
            "--nproc_per_node 1024 --nnodes 2147483647 --master_addr a RankProgram",
            "--nnodes 2147483647 × --nproc_per_node 1024: more ranks than the 8192 that a world can"
                + " have"),
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

  /** Of both ranks, as soon as they have told them. */
  private static List<Long> pids(CommandProcess run) throws Exception {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (run.outLines().size() < 2) {
      assertThat(System.nanoTime()).as("time; %s", run.errLines()).isLessThan(deadline);
      Thread.sleep(50);
    }
    return run.outLines().stream()
        .map(line -> Long.valueOf(line.replaceAll(".*pid ", "")))
        .toList();
  }

  private static boolean runs(long pid) {
    return ProcessHandle.of(pid).map(CommandProcess::runs).orElse(false);
  }

  private CommandProcess start(Map<String, String> environment, String... arguments)
      throws IOException {
    return CommandProcess.start(XfRun.class, directory, environment, arguments);
  }
}
