package io.xfuser.models.process;

import io.xfuser.parallel.RankProcess;
import io.xfuser.parallel.TestRanks;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The processes of one world, each a {@link RankMain}. */
final class RankProcesses implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(90);
  private static final Duration REQUEST = Duration.ofSeconds(60);

  private final List<RankProcess> ranks = new ArrayList<>();
  private int requests;

  private RankProcesses() {}

  /** Starts {@code size} ranks and waits until they have joined. */
  static RankProcesses start(int size, Map<String, String> variables, String... arguments)
      throws Exception {
    RankProcesses world = new RankProcesses();
    int port = TestRanks.freePort();
    try {
      for (int rank = 0; rank < size; rank++) {
        Map<String, String> environment = RankProcess.environment(rank, size, port);
        environment.putAll(variables);
        world.ranks.add(new RankProcess(RankMain.class, environment, arguments));
      }
      for (RankProcess rank : world.ranks) {
        rank.await("JOINED", START);
      }
      return world;
    } catch (Exception | AssertionError e) {
      world.close();
      throw e;
    }
  }

  RankProcess rank(int rank) {
    return ranks.get(rank);
  }

  int size() {
    return ranks.size();
  }

  /** Gives all ranks the same flags. */
  void tell(List<String> flags) throws IOException {
    for (RankProcess rank : ranks) {
      rank.tell(String.join("\t", flags));
    }
  }

  /** Gives all ranks the same flags and waits until they are done. */
  void generate(List<String> flags) throws Exception {
    tell(flags);
    requests++;
    for (RankProcess rank : ranks) {
      rank.await("DONE %03d".formatted(requests), REQUEST);
    }
  }

  @Override
  public void close() {
    ranks.forEach(RankProcess::close);
  }
}
