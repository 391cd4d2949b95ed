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
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A backend whose ranks have processes of their own, which it watches: when one ends, the request
 * that runs and those that wait are refused with the reason, and all ranks are started again: at
 * once, then after longer and longer pauses, a bounded number of times without a picture between.
 */
public final class RankWorld implements Backend {
  /** The variable by which a process knows that it is a rank of a server. */
  public static final String OF_A_SERVER = "XFUSER_RANK_OF_A_SERVER";

  static final int MOST_LOSSES = 5;
  private static final long PAUSE_MILLIS = 200;
  private static final double NANOS = 1e9;
  private static final String CLOSED = "the model is closed";

  private final XDiTParallel judge;
  private final RankLink.Start start;
  private final Later later;
  private final PrintStream err;
  private final Deque<RankRequest> waiting = new ArrayDeque<>(); // all of this is guarded by this
  private List<RankLink> ranks = List.of(); // none while it waits to start them
  private @Nullable RankRequest running;
  private int ready;
  private int losses; // since the last picture
  private long started; // nanoseconds, the last time
  private long opening; // nanoseconds that it took the last time; 0 = never
  private boolean ending; // takes no requests any more
  private boolean closed; // starts no ranks any more
  private String trouble = "the ranks are being started";

  private RankWorld(XDiTParallel judge, RankLink.Start start, Later later, PrintStream err) {
    this.judge = judge;
    this.start = start;
    this.later = later;
    this.err = err;
  }

  /**
   * Starts the ranks, and returns when they are ready.
   *
   * @param judge judges requests, and draws none; closed with the backend
   * @param plan what each rank runs: it ends in {@link RankService#run}
   * @throws ClosedException if one of them ends before they are
   */
  public static RankWorld start(XDiTParallel judge, LaunchPlan plan, PrintStream err) {
    RankWorld world = begin(judge, RankPipe.of(plan), Later.POOL, err);
    Runtime.getRuntime().addShutdownHook(new Thread(world::abandon, "end of the ranks"));
    try {
      world.awaitReady();
      return world;
    } catch (RuntimeException e) {
      world.close();
      throw e;
    }
  }

  /** Has the ranks started, and does not wait for them. */
  static RankWorld begin(XDiTParallel judge, RankLink.Start start, Later later, PrintStream err) {
    RankWorld world = new RankWorld(judge, start, later, err);
    world.startRanks();
    return world;
  }

  private synchronized void awaitReady() {
    try {
      while (!isReady() && !closed) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while the ranks were being started");
    }
    if (closed) {
      throw new ClosedException(trouble);
    }
  }

  private synchronized void startRanks() {
    if (closed) {
      return;
    }
    started = System.nanoTime();
    try {
      ranks = start.all(this::heard, this::ended);
    } catch (IOException | RuntimeException e) {
      err.println("the ranks cannot be started: " + e.getMessage());
      lose("the ranks cannot be started", new ClosedException("the ranks cannot be started"));
    }
  }

  private void heard(RankLink rank, JsonNode message) {
    RankRequest told = progressed(rank, message);
    if (told != null) {
      told.tell(message); // without the lock: it may take its time, and may call anything
    }
  }

  /** The request whose progress {@code message} tells; everything else is done here. */
  private synchronized @Nullable RankRequest progressed(RankLink rank, JsonNode message) {
    String kind = ranks.contains(rank) ? message.path("kind").asText() : "gone";
    switch (kind) {
      case "ready" -> ready(message);
      case "drawn", "failed" -> answered(rank, message);
      default -> {}
    }
    return kind.equals("progress") ? running : null;
  }

  private void ready(JsonNode message) {
    ready++;
    if (isReady()) {
      opening = System.nanoTime() - started;
      err.println("the ranks are ready; the last one: " + message.path("took").asText());
      notifyAll();
      next();
    }
  }

  private void answered(RankLink rank, JsonNode message) {
    RankRequest request = running;
    if (request != null && request.answered(rank.number(), message, ranks.size())) {
      running = null;
      if (request.isDrawn()) {
        losses = 0; // it works
      }
      later.run(0, request::finish);
      notifyAll();
      next();
    }
  }

  private void next() {
    if (running == null && isReady() && !waiting.isEmpty()) {
      running = waiting.remove();
      String line = RankWire.line(RankWire.request(running.input()));
      ranks.forEach(rank -> rank.write(line));
    }
  }

  private boolean isReady() {
    return !closed && ready > 0 && ready == ranks.size();
  }

  private synchronized void ended(RankLink rank, String how) {
    String lost = "rank %d was lost: its process %s".formatted(rank.number(), how);
    if (ranks.contains(rank)) { // else it was ended, or has gone with another
      lose(lost, new RankException(rank.number(), "serving", lost));
    }
  }

  /** Refuses what is there, and starts the ranks again, if that may help. */
  private void lose(String why, RuntimeException lost) {
    endRanks();
    losses++;
    started = System.nanoTime(); // nearly
    closed = ending || opening == 0 || losses >= MOST_LOSSES;
    boolean often = losses == MOST_LOSSES;
    trouble = why + (often ? ", for the " + losses + "th time without a picture between" : "");
    err.println(trouble + (closed ? "" : "; starting the ranks again"));
    refuseAll(lost);
    if (!closed) {
      later.run(losses == 1 ? 0 : PAUSE_MILLIS << losses, this::startRanks);
    }
    notifyAll();
  }

  private void refuseWaiting(RuntimeException why) {
    waiting.forEach(request -> later.run(0, () -> request.fail(why)));
    waiting.clear();
  }

  private void refuseAll(RuntimeException why) {
    if (running != null) {
      waiting.addFirst(running);
      running = null;
    }
    refuseWaiting(why);
  }

  private List<RankLink> endRanks() {
    List<RankLink> old = ranks;
    old.forEach(RankLink::kill);
    ranks = List.of();
    ready = 0;
    return old;
  }

  /** Ends the ranks for good, at once. */
  private synchronized List<RankLink> abandon() {
    closed = true;
    ending = true;
    refuseAll(new ClosedException(CLOSED));
    notifyAll();
    return endRanks();
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
    double left = (opening - (System.nanoTime() - started)) / NANOS;
    return isReady() || closed ? 0 : Math.max(1, left);
  }

  @Override
  public GenerationRequest check(InputConfig input) {
    return judge.check(input);
  }

  @Override
  public Task submit(InputConfig input, @Nullable Instant deadline, ProgressListener listener) {
    RankRequest request = new RankRequest(this, input, listener);
    synchronized (this) {
      if (!isOpen()) {
        throw new ClosedException(ending ? CLOSED : trouble);
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
    return isReady() && !ending;
  }

  @Override
  public boolean close(Duration limit) {
    boolean idle = awaitIdle(limit);
    abandon().forEach(RankLink::awaitEnd);
    judge.close();
    return idle;
  }

  /** Takes no requests any more, and waits so long until the one that runs is over. */
  private synchronized boolean awaitIdle(Duration limit) {
    ending = true;
    refuseWaiting(new ClosedException(CLOSED));
    long until = System.nanoTime() + limit.toNanos();
    try {
      while (running != null && until > System.nanoTime()) {
        TimeUnit.NANOSECONDS.timedWait(this, until - System.nanoTime());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return running == null;
  }

  synchronized void cancel(RankRequest request) {
    if (waiting.remove(request)) {
      CancelledException why = new CancelledException("cancelled before the request began");
      later.run(0, () -> request.fail(why));
    } else if (request.equals(running)) {
      ranks.get(0).write(RankWire.line(RankWire.message("cancel"))); // the others hear of it
    }
  }

  /** How many requests come before {@code request}. */
  synchronized int place(RankRequest request) {
    return new ArrayList<>(waiting).indexOf(request) + 1;
  }
}
