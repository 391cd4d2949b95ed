package io.xfuser.models.process;

import io.xfuser.internal.parallel.RankProcess;
import io.xfuser.internal.parallel.TestRanks;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Processes, each a {@link RankMain}; the first of them make up one world after another. */
final class RankProcesses implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final List<RankProcess> ranks = new ArrayList<>();
  private int size; // of the world
  private int told;

  private RankProcesses() {}

  /** Starts {@code count} processes. */
  static RankProcesses start(int count) throws IOException {
    RankProcesses processes = new RankProcesses();
    try {
      for (int rank = 0; rank < count; rank++) {
        processes.ranks.add(process(rank, count));
      }
      return processes;
    } catch (IOException e) {
      processes.close();
      throw e;
    }
  }

  private static RankProcess process(int rank, int count) throws IOException {
    return new RankProcess(RankMain.class, RankProcess.environment(rank, count, 0));
  }

  /** Ends the process of {@code rank}, if it has not ended, and starts another in its place. */
  void replace(int rank) throws IOException {
    ranks.get(rank).close();
    ranks.set(rank, process(rank, ranks.size()));
  }

  /** Waits until the first {@code ranks} processes are a world of their own. */
  void join(int ranks, boolean sharedMemory) throws Exception {
    join(ranks, sharedMemory, 60, "nothing"); // a busy machine is silent, too
  }

  /**
   * The same.
   *
   * @param silence seconds that count as a failure
   * @param announced an activity, after its rank, which that rank says it begins, and lets last
   */
  void join(int ranks, boolean sharedMemory, int silence, String announced) throws Exception {
    size = ranks;
    int port = TestRanks.freePort();
    run(List.of("JOIN", "" + ranks, "" + port, "" + sharedMemory, "" + silence, announced));
  }

  RankProcess rank(int rank) {
    return ranks.get(rank);
  }

  /** Gives all ranks the same flags; the number by which they speak of them. */
  String tell(List<String> flags) throws IOException {
    told++;
    String number = "%03d".formatted(told);
    for (RankProcess rank : ranks.subList(0, size)) {
      rank.tell(number + "\t" + String.join("\t", flags));
    }
    return number;
  }

  /** Gives all ranks the same flags and waits until they are done. */
  void run(List<String> flags) throws Exception {
    String number = tell(flags);
    for (RankProcess rank : ranks.subList(0, size)) {
      rank.await("DONE " + number, LIMIT);
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
