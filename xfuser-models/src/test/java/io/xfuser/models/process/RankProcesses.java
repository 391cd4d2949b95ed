package io.xfuser.models.process;

import io.xfuser.internal.parallel.RankProcess;
import io.xfuser.internal.parallel.TestRanks;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Processes, each a {@link RankMain}; the first of them make up one world after another. */
final class RankProcesses implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final List<RankProcess> ranks = new ArrayList<>();
  private int size; // of the world
  private int told;

  private RankProcesses() {}

  /** Starts {@code count} processes. */
  static RankProcesses start(int count, String... arguments) throws IOException {
    RankProcesses processes = new RankProcesses();
    try {
      for (int rank = 0; rank < count; rank++) {
        Map<String, String> environment = RankProcess.environment(rank, count, 0);
        processes.ranks.add(new RankProcess(RankMain.class, environment, arguments));
      }
      return processes;
    } catch (IOException e) {
      processes.close();
      throw e;
    }
  }

  /** Waits until the first {@code ranks} processes are a world of their own. */
  void join(int ranks, boolean sharedMemory) throws Exception {
    size = ranks;
    int port = TestRanks.freePort();
    run(List.of("JOIN", "" + ranks, "" + port, "" + sharedMemory));
  }

  RankProcess rank(int rank) {
    return ranks.get(rank);
  }

  int size() {
    return ranks.size();
  }

  /** Gives all ranks the same flags. */
  void tell(List<String> flags) throws IOException {
    told++;
    for (RankProcess rank : ranks.subList(0, size)) {
      rank.tell("%03d\t".formatted(told) + String.join("\t", flags));
    }
  }

  /** Gives all ranks the same flags and waits until they are done. */
  void run(List<String> flags) throws Exception {
    tell(flags);
    for (RankProcess rank : ranks.subList(0, size)) {
      rank.await("DONE %03d".formatted(told), LIMIT);
    }
  }

  /** Has all ranks draw what {@code rank} cancels as it begins {@code activity}; what each says. */
  List<String> cancel(int rank, String activity, List<String> flags) throws Exception {
    List<String> words = new ArrayList<>(List.of("CANCEL", "" + rank, activity));
    words.addAll(flags);
    run(words);
    List<String> said = new ArrayList<>();
    for (RankProcess each : ranks.subList(0, size)) {
      said.add(each.await("CANCELLED %03d".formatted(told), LIMIT));
    }
    return said;
  }

  @Override
  public void close() {
    ranks.forEach(RankProcess::close);
  }
}
