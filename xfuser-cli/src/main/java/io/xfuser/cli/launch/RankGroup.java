package io.xfuser.cli.launch;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The ranks of this host. None outlives the group, and none outlives this JVM's shutdown. */
final class RankGroup implements AutoCloseable {
  private static final long TICK_MILLIS = 200;

  private final GracePeriods patience;
  private final List<RankProcess> ranks = new ArrayList<>();
  private final BlockingQueue<RankProcess> ended = new LinkedBlockingQueue<>();
  private final Thread shutdown = new Thread(this::endAtShutdown, "end of the ranks");
  private boolean shuttingDown;

  private RankGroup(GracePeriods patience) {
    this.patience = patience;
  }

  /**
   * Starts all ranks of {@code plan} on this host.
   *
   * @throws IOException if one cannot be started; those already started are ended
   */
  static RankGroup start(LaunchPlan plan, GracePeriods patience, PrintStream out, PrintStream err)
      throws IOException {
    RankGroup group = new RankGroup(patience);
    Runtime.getRuntime().addShutdownHook(group.shutdown);
    try {
      Credentials credentials = Credentials.of(plan.placement());
      for (int local = 0; local < plan.placement().ranksPerNode(); local++) {
        int rank = plan.placement().rank(local);
        group.add(RankCommand.of(plan, credentials, local), rank, out, err);
      }
    } catch (IOException e) {
      group.close();
      throw e;
    }
    return group;
  }

  /** Waits until all ranks have ended well, or one has not: the first that failed. */
  Optional<RankProcess> awaitFailure() throws InterruptedException {
    for (int running = ranks.size(); running > 0; ) {
      RankProcess rank = ended.poll(TICK_MILLIS, TimeUnit.MILLISECONDS);
      ranks.forEach(each -> each.output().showHeldIfOld());
      if (rank != null && !rank.status().isSuccess()) {
        return Optional.of(rank);
      }
      running -= rank == null ? 0 : 1;
    }
    return Optional.empty();
  }

  /** After a failure: waits until all ranks have ended; those that have not in time are made to. */
  void end() throws InterruptedException {
    end(patience.afterFailure());
  }

  private void end(Duration grace) throws InterruptedException {
    if (!awaitAll(grace)) {
      ranks.forEach(RankProcess::terminate);
      if (!awaitAll(patience.afterTermination())) {
        ranks.forEach(RankProcess::kill);
        awaitAll(patience.afterTermination());
      }
    }
    for (RankProcess rank : ranks) {
      rank.drain();
    }
  }

  /** Whether the ranks are being ended because this JVM is. */
  synchronized boolean isShuttingDown() {
    return shuttingDown;
  }

  List<RankProcess> ranks() {
    return List.copyOf(ranks);
  }

  /** Ends the ranks that still run. */
  @Override
  public void close() {
    endNow();
    try {
      Runtime.getRuntime().removeShutdownHook(shutdown);
    } catch (IllegalStateException e) {
      // The JVM is shutting down already and runs the hook itself.
      return;
    }
  }

  private synchronized void add(
      ProcessBuilder builder, int number, PrintStream out, PrintStream err) throws IOException {
    if (shuttingDown) {
      throw new IOException("told to end while the ranks were being started");
    }
    RankProcess rank = RankProcess.start(builder, number, out, err);
    ranks.add(rank);
    rank.whenEnded(ended::add);
  }

  private void endAtShutdown() {
    synchronized (this) {
      shuttingDown = true;
    }
    endNow();
  }

  private void endNow() {
    try {
      end(Duration.ZERO);
    } catch (InterruptedException e) {
      ranks.forEach(RankProcess::kill);
      Thread.currentThread().interrupt();
    }
  }

  private boolean awaitAll(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    boolean all = true;
    for (RankProcess rank : ranks) {
      all &= rank.await(Duration.ofNanos(deadline - System.nanoTime()));
    }
    return all;
  }
}
