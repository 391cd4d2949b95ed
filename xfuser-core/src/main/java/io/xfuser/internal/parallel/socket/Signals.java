package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Mailboxes;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Signs of life, activities, failures and cancellations, on a thread of its own that never blocks:
 * neither a long computation nor a rank that has stopped holds them up. Decides who has failed.
 */
final class Signals {
  private static final long TICK_NANOS = 100_000_000;
  private static final long GRACE_NANOS = 1_000_000_000; // from broken tensors to blame

  private final Map<Integer, SignalPeer> peers = new TreeMap<>();
  private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
  private final CompletableFuture<Boolean> farewellSeen = new CompletableFuture<>();
  private final Selector selector;
  private final int rank;
  private final Duration silence;
  private final long beatNanos;
  private final Outcome outcome;
  private volatile String activity = "starting";
  private volatile long activitySent = System.nanoTime() - TICK_NANOS;
  private volatile boolean stopping;
  private volatile boolean stopped;
  private String sentActivity = "starting";
  private long lastBeat = System.nanoTime();
  private long lastTick = System.nanoTime();
  private boolean failed;

  /** Of the rank of {@code config}, over {@code channels} to the others. */
  Signals(SocketConfig config, Map<Integer, SocketChannel> channels, Outcome outcome)
      throws IOException {
    this.rank = config.rank();
    this.silence = config.limits().silence();
    this.beatNanos = Math.min(1_000_000_000, silence.toNanos() / 10);
    this.outcome = outcome;
    this.selector = Selector.open();
    for (Map.Entry<Integer, SocketChannel> entry : channels.entrySet()) {
      SignalPeer peer = new SignalPeer(entry.getKey(), entry.getValue(), System.nanoTime());
      entry.getValue().configureBlocking(false);
      entry.getValue().register(selector, SelectionKey.OP_READ, peer);
      peers.put(entry.getKey(), peer);
    }
  }

  /** What this rank does from now on; told at most every tenth of a second. */
  void activity(String what) {
    activity = what;
    if (System.nanoTime() - activitySent > TICK_NANOS) {
      selector.wakeup();
    }
  }

  String activity() {
    return activity;
  }

  /** Tells all others that a request is over, which {@code signal} names. */
  void endRequest(Signal signal) {
    submitAndWait(() -> tellAll(signal));
  }

  /** Ends the world by {@code failure}, unless it has ended; tells the others first. */
  void fail(RankException failure) {
    submitAndWait(() -> end(failure));
  }

  /** The tensors of {@code rank} have stopped without a farewell. */
  void broken(int rank, Exception cause) {
    submit(
        () -> {
          SignalPeer peer = peers.get(rank);
          if (peer == null) {
            outcome.left(rank); // it had said farewell, else the world has ended
          } else if (peer.brokenSince == 0) {
            peer.brokenSince = System.nanoTime();
            peer.brokenBecause = String.valueOf(cause.getMessage());
          }
        });
  }

  /** All messages of {@code rank} up to its farewell are here; what it signalled counts first. */
  void farewellArrived(int rank) {
    submit(
        () -> {
          SignalPeer peer = peers.get(rank);
          if (peer != null) {
            peer.receive(System.nanoTime()).forEach(signal -> take(peer, signal));
            peer.leaving = true;
            peer.send(Signal.of(Signal.SignalKind.FAREWELL_SEEN));
          }
          outcome.left(rank);
        });
  }

  /** Says that this rank leaves in order. */
  void farewell() {
    submitAndWait(() -> tellAll(Signal.of(Signal.SignalKind.FAREWELL)));
  }

  /** Waits until the others have all that was sent to them, or have ended themselves. */
  void awaitFarewellSeen(Duration limit) {
    submit(() -> farewellSeenBy(null));
    await(farewellSeen, limit.toSeconds());
  }

  /** Ends the thread and the connections. */
  void stop() {
    stopping = true;
    selector.wakeup();
  }

  /** Runs until {@link #stop}. */
  void run() {
    try {
      while (!stopping) {
        selector.select(Math.max(1, Math.min(TICK_NANOS, beatNanos) / 1_000_000));
        turn(System.nanoTime());
      }
      turn(System.nanoTime());
      Deadline deadline = Deadline.after(Duration.ofNanos(GRACE_NANOS));
      while (!allFlushed() && !deadline.isOver()) {
        Deadline.pause(10);
      }
    } catch (IOException | RuntimeException | Error e) {
      end(RankException.of(rank, activity, e));
    } finally {
      stopped = true;
      farewellSeen.complete(true);
      peers.values().forEach(peer -> Connection.closeQuietly(peer.channel()));
      Connection.closeQuietly(selector);
      runCommands();
    }
  }

  private void turn(long now) {
    for (SelectionKey key : selector.selectedKeys()) {
      SignalPeer peer = (SignalPeer) key.attachment();
      peer.receive(now).forEach(signal -> take(peer, signal));
      if (peer.ended) {
        key.cancel();
      }
    }
    selector.selectedKeys().clear();
    runCommands();
    // what a rank said before it ended was taken above, from all ranks: blame comes after
    Map.copyOf(peers).values().stream().filter(peer -> peer.ended).forEach(this::ended);
    judge(now);
    beat(now);
    allFlushed();
  }

  private void runCommands() {
    for (Runnable next = commands.poll(); next != null; next = commands.poll()) {
      next.run();
    }
  }

  private void take(SignalPeer peer, Signal signal) {
    switch (signal.kind()) {
      case HEARTBEAT -> {} // any byte is a sign of life
      case ACTIVITY -> peer.activity = signal.text();
      case CANCEL, REQUEST_FAILURE -> outcome.requestEnded(signal);
      case FAILURE -> end(RankException.decoded(signal.text()));
      case FAREWELL -> peer.leaving = true;
      case FAREWELL_SEEN -> farewellSeenBy(peer);
    }
  }

  private void ended(SignalPeer peer) {
    peers.remove(peer.rank());
    Connection.closeQuietly(peer.channel());
    if (!peer.leaving) {
      end(peer.lost("rank " + peer.rank() + " died while " + peer.activity));
    } else if (peer.brokenSince != 0) {
      outcome.left(peer.rank());
    }
    farewellSeenBy(null);
  }

  private void farewellSeenBy(@Nullable SignalPeer peer) {
    if (peer != null) {
      peer.seen = true;
    }
    if (failed || peers.values().stream().allMatch(each -> each.seen)) {
      farewellSeen.complete(true);
    }
  }

  private void judge(long now) {
    long slept = now - lastTick;
    lastTick = now;
    for (SignalPeer peer : Map.copyOf(peers).values()) {
      if (slept > silence.toNanos() / 4) {
        peer.lastHeard += slept; // this process was stopped itself: nobody could be heard
      }
      if (now - peer.lastHeard > silence.toNanos()) {
        end(
            peer.lost(
                String.format(
                    "rank %d has been silent for %s while %s",
                    peer.rank(), Mailboxes.seconds(silence), peer.activity)));
      }
      if (peer.brokenSince != 0 && now - peer.brokenSince > GRACE_NANOS) {
        if (peer.leaving) {
          outcome.left(peer.rank());
        } else {
          end(
              peer.lost(
                  String.format(
                      "the connection to rank %d broke while it was %s: %s",
                      peer.rank(), peer.activity, peer.brokenBecause)));
        }
        peer.brokenSince = Long.MAX_VALUE;
      }
    }
  }

  private void beat(long now) {
    String doing = activity;
    if (!doing.equals(sentActivity) && now - activitySent >= TICK_NANOS / 2) {
      sentActivity = doing;
      activitySent = now;
      tellAll(Signal.of(Signal.SignalKind.ACTIVITY, doing));
    }
    if (now - lastBeat >= beatNanos) {
      lastBeat = now;
      tellAll(Signal.of(Signal.SignalKind.HEARTBEAT));
    }
  }

  private void end(RankException failure) {
    if (!failed) {
      failed = true;
      tellAll(Signal.of(Signal.SignalKind.FAILURE, failure.encoded()));
      outcome.failed(failure);
      farewellSeenBy(null);
    }
  }

  private void tellAll(Signal signal) {
    peers.values().forEach(peer -> peer.send(signal));
  }

  private boolean allFlushed() {
    return peers.values().stream().map(SignalPeer::flush).reduce(true, Boolean::logicalAnd);
  }

  private void submitAndWait(Runnable command) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    submit(command);
    submit(() -> done.complete(true));
    await(done, 1);
  }

  private void submit(Runnable command) {
    commands.add(command);
    if (stopped) {
      runCommands();
    } else {
      selector.wakeup();
    }
  }

  private static void await(CompletableFuture<Boolean> done, long seconds) {
    try {
      done.get(seconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // it will be done as soon as the thread gets to it; nobody depends on when
    }
  }

  /** What becomes of the world; called on the signals' thread. */
  interface Outcome {
    void failed(RankException failure);

    void requestEnded(Signal signal);

    void left(int rank);
  }
}
