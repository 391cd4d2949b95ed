package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.parallel.Secret;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.parallel.Tls;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TlsTest {
  private static final Path FILES = Path.of("src/test/resources/tls");
  private static final Path AUTHORITY = FILES.resolve("authority.pem");
  private static final Secret SECRET = Secret.of("0123456789abcdef");
  private static final SocketConfig.Limits BRIEF =
      new SocketConfig.Limits(Duration.ofSeconds(4), Duration.ofSeconds(5), Duration.ofSeconds(5));

  @Test
  void ranksMeetAndExchangeTensorsByTls() throws Exception {
    int port = TestRanks.freePort();
    List<Float> sums =
        TestRanks.together(
            3,
            rank -> {
              Torch.prepareThread(1);
              try (World world =
                      SocketWorld.join(config(rank, 3, port, tls("rank"), TestRanks.QUICK));
                  NDManager scope = Torch.newManager()) {
                NDArray own = TestRanks.numbers(scope, rank, 300_000);
                return TestRanks.all(world).allReduceSum(scope, own).getFloat(299_999);
              }
            });
    assertThat(sums).containsOnly(3f * 299_999 + 3);
  }

  @Test
  void whoShowsNoCertificateOfTheAuthoritysIsRefused() throws Exception {
    int port = TestRanks.freePort();
    List<String> sentences =
        TestRanks.together(
            3,
            rank -> {
              Tls tls = rank == 0 ? tls("rank") : rank == 1 ? tls("impostor") : Tls.NONE;
              try (World world = SocketWorld.join(config(rank, 3, port, tls, BRIEF))) {
                return "joined " + world.rank();
              } catch (CommunicationException e) {
                return String.valueOf(e.getMessage());
              }
            });
    assertThat(sentences.get(0))
        .startsWith("rank 1, 2 of 3 did not join within 4 s (rejected: who calls from 127.0.0.1");
    assertThat(sentences.get(1)).contains("rank 1").doesNotContain("joined");
    assertThat(sentences.get(2))
        .startsWith("rank 2 found no rank 0")
        .contains("or one that has TLS");
  }

  @Test
  void filesThatAreNoneAreNamed() {
    assertThatThrownBy(() -> Tls.of(AUTHORITY, AUTHORITY, AUTHORITY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("authority.pem")
        .hasMessageContaining("no BEGIN PRIVATE KEY in it");
    assertThatThrownBy(() -> Tls.of(FILES.resolve("none.pem"), AUTHORITY, AUTHORITY))
        .hasMessageContaining("none.pem");
    Map<String, String> environment = new HashMap<>();
    environment.put("RANK", "0");
    environment.put("WORLD_SIZE", "1");
    environment.put("MASTER_ADDR", "localhost");
    environment.put("MASTER_PORT", "29500");
    environment.put("XFUSER_TLS_CERT", FILES.resolve("rank.pem").toString());
    environment.put("XFUSER_TLS_KEY", FILES.resolve("rank.key").toString());
    assertThatThrownBy(() -> SocketConfig.fromEnvironment(environment))
        .hasMessage(
            "TLS needs XFUSER_TLS_CERT, XFUSER_TLS_KEY and XFUSER_TLS_CA, of which 2 are set");
    environment.put("XFUSER_TLS_CA", AUTHORITY.toString());
    assertThat(SocketConfig.fromEnvironment(environment).master().tls().isOn()).isTrue();
  }

  private static Tls tls(String name) {
    return Tls.of(FILES.resolve(name + ".pem"), FILES.resolve(name + ".key"), AUTHORITY);
  }

  private static SocketConfig config(
      int rank, int size, int port, Tls tls, SocketConfig.Limits limits) {
    SocketConfig.Master master = new SocketConfig.Master("localhost", port, 1, "job", SECRET, tls);
    return new SocketConfig(rank, size, rank, master, limits, false);
  }
}
