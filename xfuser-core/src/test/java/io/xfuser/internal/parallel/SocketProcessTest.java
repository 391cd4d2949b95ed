package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ranks that are real processes, one of which is killed, stopped or busy. */
class SocketProcessTest {
  private static final Duration START = Duration.ofSeconds(60);

  private final List<RankProcess> ranks = new ArrayList<>();

  @AfterEach
  void endAll() {
    ranks.forEach(RankProcess::close);
  }

  @Test
  void whenARankIsKilledTheOthersEndBeforeItWouldBeSilentForTooLongAndNameIt() throws Exception {
    List<Path> before = sharedFiles();
    start(3, "loop", "20");
    for (RankProcess rank : ranks) {
      rank.await("LOOPING", START);
    }
    ranks.get(1).signal("KILL");
    long killed = System.nanoTime();
    for (int other : new int[] {0, 2}) {
      assertThat(ranks.get(other).await("ENDED", Duration.ofSeconds(15)))
          .isEqualTo("rank 1 died while in warm-up step 4 of 4");
      assertThat(ranks.get(other).await("THEN", START))
          .isEqualTo("the world is closed: rank 1 died while in warm-up step 4 of 4");
    }
    assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(20));
    for (int other : new int[] {0, 2}) {
      ranks.get(other).await("CLOSED", START);
      assertThat(ranks.get(other).exitStatus()).isZero();
    }
    // worlds of other tests that start just now have theirs for a moment
    List<Path> own = new ArrayList<>(sharedFiles());
    own.removeAll(before);
    for (int attempt = 0; attempt < 300 && own.stream().anyMatch(Files::exists); attempt++) {
      Thread.sleep(100);
    }
    assertThat(own).noneMatch(Files::exists);
  }

  /** The one that computes is silent for longer than the limit, too. */
  @Test
  void aRankThatComputesOrFailsEndsNothingButOneThatIsStoppedDoesEvenWhileOthersWriteToIt()
      throws Exception {
    start(2, "busy", "3");
    for (RankProcess rank : ranks) {
      assertThat(rank.await("JOINED", START)).isEqualTo("all daemons");
    }
    for (RankProcess rank : ranks) {
      rank.await("TOGETHER", Duration.ofSeconds(40));
    }
    assertThat(ranks.get(0).await("FAILED", START))
        .isEqualTo("rank 1 failed while decoding: no memory left");
    for (RankProcess rank : ranks) {
      assertThat(rank.await("NEXT", START)).isEqualTo("works");
      rank.await("LOOPING", START);
    }
    ranks.get(1).signal("STOP");
    assertThat(ranks.get(0).await("ENDED", Duration.ofSeconds(15)))
        .isEqualTo("rank 1 has been silent for 3 s while in warm-up step 4 of 4");
    ranks.get(0).await("CLOSED", START);
    assertThat(ranks.get(0).exitStatus()).isZero();
    ranks.get(1).signal("CONT");
    assertThat(ranks.get(1).await("ENDED", START))
        .isEqualTo("rank 1 has been silent for 3 s while in warm-up step 4 of 4");
  }

  @Test
  void theLimitsOfTheDefaultsAreThosePromised() {
    SocketConfig.Limits limits = SocketConfig.Limits.standard();
    assertThat(limits.silence()).hasSeconds(20); // the others end within 30 s
    assertThat(limits.message()).hasSeconds(1800);
    assertThat(limits.rendezvous()).hasSeconds(300);
  }

  private void start(int size, String... arguments) throws IOException {
    int port = TestRanks.freePort();
    for (int rank = 0; rank < size; rank++) {
      ranks.add(new RankProcess(rank, size, port, arguments));
    }
  }

  private static List<Path> sharedFiles() throws IOException {
    Path directory = Path.of("/dev/shm");
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().startsWith("xfuser-")).toList();
    }
  }
}
