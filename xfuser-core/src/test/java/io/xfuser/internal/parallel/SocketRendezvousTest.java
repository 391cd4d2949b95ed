package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketRendezvousTest {
  private static final SocketConfig.Limits BRIEF = limits(1);

  @Test
  void whoIsMissingIsNamedOnAllRanks() throws Exception {
    int port = TestRanks.freePort();
    List<String> sentences =
        TestRanks.together(
            2, rank -> failure(TestRanks.config(rank == 0 ? 0 : 2, 4, port, limits(3))));
    assertThat(sentences).containsOnly("rank 1, 3 of 4 did not join within 3 s");
  }

  @Test
  void aRankThatFindsNobodySaysWhere() throws Exception {
    int port = TestRanks.freePort();
    assertThat(failure(TestRanks.config(1, 2, port, BRIEF)))
        .startsWith("rank 1 found no rank 0 at localhost:" + port + " within 1 s");
  }

  @ParameterizedTest
  @ValueSource(strings = {"::1", "[::1]", "0:0:0:0:0:0:0:1"})
  void ranksMeetAtTheLoopbackOfIpv6(String address) throws Exception {
    assumeThat(hasIpv6()).isTrue();
    int port = TestRanks.freePort();
    SocketConfig.Master master = new SocketConfig.Master(address, port, 1, "job");
    TestRanks.together(
        2, rank -> meet(new SocketConfig(rank, 2, rank, master, TestRanks.QUICK, true)));
    assertThat(master.place()).isEqualTo("[" + address.replaceAll("[\\[\\]]", "") + "]:" + port);
  }

  private static boolean hasIpv6() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getAllByName("::1")[0])) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void foreignConnectionsChangeNothing() throws Exception {
    int port = TestRanks.freePort();
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      Future<Boolean> first =
          threads.submit(() -> meet(TestRanks.config(0, 2, port, TestRanks.QUICK)));
      List<String> noises = List.of("GET / HTTP/1.1\r\n\r\n", "", "\0\0\0\0\0\0\0\0\0\0\0\0");
      for (String noise : noises) {
        try (Socket socket = connect(port)) {
          OutputStream out = socket.getOutputStream();
          out.write(noise.getBytes(StandardCharsets.ISO_8859_1));
          out.flush();
        }
      }
      try (Socket silent = connect(port)) {
        assertThat(meet(TestRanks.config(1, 2, port, TestRanks.QUICK))).isTrue();
        assertThat(first.get()).isTrue();
        assertThat(silent.isConnected()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void ranksThatDoNotFitAreRejectedAndTheOthersGoOn() throws Exception {
    int port = TestRanks.freePort();
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      Future<String> first = threads.submit(() -> failure(TestRanks.config(0, 3, port, limits(3))));
      assertThat(failure(TestRanks.config(2, 4, port, limits(20))))
          .isEqualTo("rank 2 expects 4 ranks, but rank 0 expects 3");
      Future<String> one = threads.submit(() -> failure(TestRanks.config(1, 3, port, limits(20))));
      Future<String> other =
          threads.submit(() -> failure(TestRanks.config(1, 3, port, limits(20))));
      assertThat(first.get())
          .isEqualTo(
              "rank 2 of 3 did not join within 3 s"
                  + " (rejected: rank 2 expects 4 ranks, but rank 0 expects 3)");
      assertThat(List.of(one.get(), other.get()))
          .containsExactlyInAnyOrder("there are two processes with rank 1", first.get());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aPortThatAnotherProgramHoldsIsPassedOver() throws Exception {
    try (ServerSocket agent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      SocketConfig.Master master =
          new SocketConfig.Master("localhost", agent.getLocalPort(), 16, "job 1");
      Thread closer = new Thread(() -> hangUp(agent));
      closer.setDaemon(true);
      closer.start();
      TestRanks.together(
          3,
          rank -> {
            try (World world =
                SocketWorld.join(new SocketConfig(rank, 3, rank, master, TestRanks.QUICK, true))) {
              world.group(Channel.WORLD, List.of(0, 1, 2)).barrier();
            }
            return true;
          });
    }
  }

  @Test
  void twoWorldsThatTryTheSamePortsDoNotMix() throws Exception {
    int port = TestRanks.freePort();
    List<Integer> sums =
        TestRanks.together(
            5,
            thread -> {
              boolean first = thread < 2; // a world of two ranks, one of three
              int rank = first ? thread : thread - 2;
              SocketConfig.Master master =
                  new SocketConfig.Master("localhost", port, 8, first ? "first" : "second");
              int size = first ? 2 : 3;
              try (World world =
                  SocketWorld.join(
                      new SocketConfig(rank, size, rank, master, TestRanks.QUICK, true))) {
                world.group(Channel.WORLD, first ? List.of(0, 1) : List.of(0, 1, 2)).barrier();
                return world.size();
              }
            });
    assertThat(sums).containsExactly(2, 2, 3, 3, 3);
  }

  @Test
  void aPortInUseIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(
              () -> SocketWorld.join(TestRanks.config(0, 2, taken.getLocalPort(), BRIEF)))
          .isInstanceOf(CommunicationException.class)
          .hasMessageStartingWith("rank 0 cannot listen on port " + taken.getLocalPort());
    }
  }

  @Test
  void anotherRunAtTheSamePortIsNamedSoon() throws Exception {
    int port = TestRanks.freePort();
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      Future<String> first = threads.submit(() -> failure(TestRanks.config(0, 2, port, limits(2))));
      SocketConfig.Master another = new SocketConfig.Master("localhost", port, 1, "another job");
      assertThat(failure(new SocketConfig(1, 2, 1, another, limits(20), true)))
          .isEqualTo(
              "rank 1 met another run at localhost:%d: each needs a port of its own (MASTER_PORT,"
                      .formatted(port)
                  + " xfrun's --master_port)");
      assertThat(first.get()).isEqualTo("rank 1 of 2 did not join within 2 s");
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void whatDiffersIsNamedByEveryRank() throws Exception {
    int port = TestRanks.freePort();
    List<String> sentences =
        TestRanks.together(
            3,
            rank -> {
              Fingerprint own =
                  Fingerprint.EMPTY.with("dtype", "float32").with("ulysses_degree", 2 + rank / 2);
              try (World world =
                  SocketWorld.join(TestRanks.config(rank, 3, port, TestRanks.QUICK), own)) {
                return "joined as rank " + world.rank();
              } catch (MismatchException e) {
                return String.valueOf(e.getMessage());
              }
            });
    assertThat(sentences).containsOnly("rank 2 has ulysses_degree 3, ranks 0 and 1 have 2");
  }

  @Test
  void ranksThatMeetWhereOthersCanComeNeedASecret() {
    SocketConfig.Master open = new SocketConfig.Master("192.0.2.1", 29500, 1, "job");
    assertThatThrownBy(() -> SocketWorld.join(new SocketConfig(1, 2, 1, open, BRIEF, true)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("ranks that meet at 192.0.2.1, which is not the loopback address,")
        .hasMessageContaining("XFUSER_SECRET=$(openssl rand -hex 32)");
  }

  private static SocketConfig.Limits limits(int rendezvousSeconds) {
    return new SocketConfig.Limits(
        Duration.ofSeconds(rendezvousSeconds), Duration.ofSeconds(5), Duration.ofSeconds(5));
  }

  private static void hangUp(ServerSocket agent) {
    try {
      while (true) {
        agent.accept().close();
      }
    } catch (IOException e) {
      // closed at the end of the test
    }
  }

  private static boolean meet(SocketConfig config) {
    try (World world = SocketWorld.join(config)) {
      world.group(Channel.WORLD, List.of(0, 1)).barrier();
      return true;
    }
  }

  private static Socket connect(int port) throws Exception {
    for (int attempt = 0; ; attempt++) {
      try {
        return new Socket(InetAddress.getLoopbackAddress(), port);
      } catch (IOException e) {
        if (attempt == 100) {
          throw e;
        }
        Thread.sleep(20);
      }
    }
  }

  private static String failure(SocketConfig config) {
    try (World world = SocketWorld.join(config)) {
      return "joined as rank " + world.rank();
    } catch (CommunicationException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
