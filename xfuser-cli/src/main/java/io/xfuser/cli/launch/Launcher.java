package io.xfuser.cli.launch;

import java.io.IOException;
import java.io.PrintStream;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Runs a main class on several ranks, one JVM each, with the variables that torchrun sets: RANK,
 * WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, and OMP_NUM_THREADS where
 * it is not set already (this host's cores divided by its ranks). Ranks that are all on this host
 * are given an id of their run, XFUSER_JOB_ID, and a secret, XFUSER_SECRET, unless they have one.
 *
 * <p>When one rank fails, the others have five seconds to end by themselves, then get SIGTERM, then
 * SIGKILL. When this JVM is told to end, the ranks end first; when it is killed, they end within
 * two seconds ({@link LauncherWatch}).
 */
public final class Launcher {
  private final PrintStream out;
  private final PrintStream err;
  private final GracePeriods patience;

  /** Passes on to {@code out} and {@code err} what the ranks other than 0 write. */
  public Launcher(PrintStream out, PrintStream err) {
    this(out, err, GracePeriods.USUAL);
  }

  Launcher(PrintStream out, PrintStream err, GracePeriods patience) {
    this.out = out;
    this.err = err;
    this.patience = patience;
  }

  /**
   * Starts the ranks of {@code plan} on this host and waits for them.
   *
   * @return 0 if all ended well, otherwise the exit status of the first that did not (128 + n after
   *     signal n)
   * @throws IOException if a rank cannot be started
   * @throws InterruptedException if this thread was interrupted; the ranks have been ended
   */
  public int run(LaunchPlan plan) throws IOException, InterruptedException {
    try (RankGroup group = RankGroup.start(plan, patience, out, err)) {
      Optional<RankProcess> failed = group.awaitFailure();
      group.end();
      if (failed.isEmpty()) {
        group.ranks().forEach(rank -> rank.output().showHeld());
        return 0;
      }
      if (!group.isShuttingDown()) {
        report(failed.get(), group.ranks());
      }
      return failed.get().status().value();
    }
  }

  private void report(RankProcess failed, List<RankProcess> ranks) {
    boolean badArguments = ranks.stream().allMatch(rank -> rank.status().equals(ExitStatus.USAGE));
    Set<String> shown = new HashSet<>();
    for (RankProcess rank : ranks) {
      if (rank.rank() == 0 || (rank.equals(failed) && !badArguments)) {
        shown.addAll(rank.output().tail());
      }
    }
    for (RankProcess rank : ranks) {
      if (rank.output().held().filter(shown::add).isPresent()) {
        rank.output().showHeld();
      }
    }
    if (!badArguments) {
      // Rank 0's lines have been shown as they were written, without a prefix.
      List<String> lines = failed.rank() == 0 ? List.of() : failed.output().tail();
      String end = lines.isEmpty() ? "" : "; its last lines:";
      RankOutput.write(
          err, "rank " + failed.rank() + " ended with " + failed.status() + end + "\n");
      lines.forEach(line -> RankOutput.write(err, "  | " + line + "\n"));
    }
  }
}
