package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.RankException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A backend whose ranks have processes of their own, which it watches: when one ends, the request
 * that runs and those that wait are refused with the reason, and all ranks are started again, a
 * bounded number of times without a picture between.
 */
public final class RankWorld implements Backend {
  /** The variable by which a process knows that it is a rank of a server. */
  public static final String OF_A_SERVER = "XFUSER_RANK_OF_A_SERVER";

  private static final int MOST_STARTS = 5;
  private static final long PAUSE_MILLIS = 200;
  private static final double NANOS = 1e9;

  private final XDiTParallel judge;
  private final LaunchPlan plan;
  private final PrintStream err;
  private final Deque<RankRequest> waiting = new ArrayDeque<>(); // all of this is guarded by this
  private List<RankLink> ranks = List.of();
  private @Nullable RankRequest running;
  private int ready;
  private int starts;
  private long started; // nanoseconds, the last time
  private long opening; // nanoseconds that it took the last time
  private boolean closed;
  private String trouble = "the ranks are being started";

  private RankWorld(XDiTParallel judge, LaunchPlan plan, PrintStream err) {
    this.judge = judge;
    this.plan = plan;
    this.err = err;
  }

  /**
   * Starts the ranks, and returns when they are ready.
   *
   * @param judge judges requests, and draws none; closed with the backend
   * @param plan what each rank runs: it ends in {@link RankService#run}
   * @throws IOException if the ranks cannot be started
   */
  public static RankWorld start(XDiTParallel judge, LaunchPlan plan, PrintStream err)
      throws IOException {
    RankWorld world = new RankWorld(judge, plan, err);
    Runtime.getRuntime().addShutdownHook(new Thread(world::endRanks, "end of the ranks"));
    world.startRanks();
    synchronized (world) {
      while (world.ready < world.ranks.size()) {
        try {
          world.wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          world.close();
          throw new CancelledException("interrupted while the ranks were being started");
        }
        if (world.closed) {
          throw new ClosedException(world.trouble);
        }
      }
    }
    return world;
  }

  private synchronized void startRanks() throws IOException {
    starts++;
    started = System.nanoTime();
    ready = 0;
    LaunchTopology place = LaunchTopology.local(plan.placement().worldSize());
    LaunchPlan now = new LaunchPlan(plan.mainClass(), plan.arguments(), place);
    Credentials credentials = Credentials.of(place);
    List<RankLink> started = new ArrayList<>();
    ranks = started;
    for (int rank = 0; rank < place.worldSize(); rank++) {
      ProcessBuilder command = RankCommand.of(now, credentials, rank);
      command.environment().put(OF_A_SERVER, "1");
      started.add(RankLink.start(command, rank, this::heard, this::ended));
    }
  }

  private synchronized void heard(RankLink rank, JsonNode message) {
    if (!ranks.contains(rank)) {
      return; // of ranks that were there before
    }
    RankRequest request = running;
    switch (message.path("kind").asText()) {
      case "ready" -> {
        ready++;
        opening = System.nanoTime() - started;
        notifyAll();
        next();
      }
      case "progress" -> {
        if (request != null) {
          request.tell(message);
        }
      }
      default -> {
        if (request != null && request.answered(message, ranks.size())) {
          running = null;
          if (request.isDrawn()) {
            starts = 1; // it works
          }
          ForkJoinPool.commonPool().execute(request::finish);
          next();
        }
      }
    }
  }

  private void next() {
    if (running == null && isReady()) {
      running = waiting.poll();
      if (running != null) {
        String line = RankWire.line(RankWire.request(running.input()));
        ranks.forEach(rank -> rank.write(line));
      }
    }
  }

  private boolean isReady() {
    return !closed && ready > 0 && ready == ranks.size();
  }

  private synchronized void ended(RankLink rank, String how) {
    if (closed || !ranks.contains(rank)) {
      return;
    }
    started = System.nanoTime(); // nearly
    trouble = "rank %d was lost: its process %s".formatted(rank.number(), how);
    err.println(trouble + (starts < MOST_STARTS ? "; starting the ranks again" : ""));
    var unused = endRanks();
    RankException lost = new RankException(rank.number(), "serving", trouble);
    List<RankRequest> refused = new ArrayList<>(waiting);
    waiting.clear();
    if (running != null) {
      refused.add(running);
      running = null;
    }
    refused.forEach(request -> ForkJoinPool.commonPool().execute(() -> request.fail(lost)));
    if (starts >= MOST_STARTS) {
      closed = true;
      trouble += ", for the %dth time without a picture between".formatted(starts);
      notifyAll();
      return;
    }
    long pause = PAUSE_MILLIS << Math.min(starts, MOST_STARTS);
    CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS).execute(this::startAgain);
  }

  private void startAgain() {
    try {
      if (!isClosed()) {
        startRanks();
      }
    } catch (IOException | RuntimeException e) {
      synchronized (this) {
        closed = true;
        trouble = "the ranks cannot be started: " + e.getMessage();
        notifyAll();
      }
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized List<RankLink> endRanks() {
    List<RankLink> old = ranks;
    ranks = List.of();
    ready = 0;
    old.forEach(RankLink::kill);
    return old;
  }

  @Override
  public String strategy() {
    return Backend.inOrder(judge).strategy();
  }

  @Override
  public Set<Setting<?>> settings() {
    return judge.settings();
  }

  @Override
  public synchronized double secondsToOpen() {
    long left = opening - (System.nanoTime() - started);
    return isReady() || closed ? 0 : Math.max(1, left / NANOS);
  }

  @Override
  public GenerationRequest check(InputConfig input) {
    return judge.check(input);
  }

  @Override
  public Task submit(InputConfig input, @Nullable Instant deadline, ProgressListener listener) {
    RankRequest request = new RankRequest(this, input, listener);
    synchronized (this) {
      if (!isReady()) {
        throw new ClosedException(trouble);
      }
      waiting.add(request);
      next();
    }
    return request;
  }

  @Override
  public synchronized int waiting() {
    return waiting.size();
  }

  @Override
  public synchronized boolean isOpen() {
    return isReady();
  }

  @Override
  public boolean close(Duration limit) {
    List<RankRequest> left;
    synchronized (this) {
      closed = true;
      trouble = "the model is closed";
      left = new ArrayList<>(waiting);
      waiting.clear();
      if (running != null) {
        left.add(running);
        running = null;
      }
    }
    endRanks().forEach(RankLink::awaitEnd);
    left.forEach(request -> request.fail(new ClosedException("the model is closed")));
    judge.close();
    return left.isEmpty();
  }

  synchronized void cancel(RankRequest request) {
    if (waiting.remove(request)) {
      ForkJoinPool.commonPool()
          .execute(
              () -> request.fail(new CancelledException("cancelled before the request began")));
    } else if (request.equals(running)) {
      ranks.get(0).write(RankWire.line(RankWire.message("cancel"))); // the others hear of it
    }
  }

  /** How many requests come before {@code request}. */
  synchronized int place(RankRequest request) {
    return new ArrayList<>(waiting).indexOf(request) + 1;
  }
}
