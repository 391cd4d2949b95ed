package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Mailboxes;
import io.xfuser.internal.parallel.Mailboxes.Route;
import io.xfuser.torchscript.SharedTensor;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The mailboxes of this rank's current request and of later ones, which faster ranks have begun
 * already. Requests are numbered alike on all ranks.
 */
final class Epochs {
  private final Duration timeout;
  private final Map<Long, Mailboxes> ahead = new TreeMap<>();
  private final Set<Integer> gone = new HashSet<>();
  private long number;
  private Mailboxes current;
  private @Nullable Supplier<? extends RuntimeException> end;

  Epochs(Duration timeout) {
    this.timeout = timeout;
    this.current = new Mailboxes(timeout);
  }

  synchronized long number() {
    return number;
  }

  synchronized Mailboxes current() {
    return current;
  }

  /** Starts the next request; what the last one has left is released. */
  synchronized void begin() {
    if (end != null) {
      throw new ClosedException("the world is closed: " + end.get().getMessage());
    }
    current.end(() -> new CancelledException("the request is over"));
    number++;
    Mailboxes waiting = ahead.remove(number);
    current = waiting == null ? make() : waiting;
  }

  void deliver(long epoch, Route route, List<SharedTensor> message) {
    Mailboxes boxes = of(epoch);
    if (boxes == null) {
      message.forEach(SharedTensor::close);
    } else {
      boxes.deliver(route, message);
    }
  }

  /** Ends one request, which was cancelled or has failed; only the first reason counts. */
  void end(Signal signal) {
    Mailboxes boxes = of(signal.epoch());
    if (boxes != null) {
      boxes.end(
          () ->
              signal.kind() == Signal.SignalKind.CANCEL
                  ? new CancelledException(signal.text())
                  : RankException.decoded(signal.text()));
    }
  }

  /** Ends this and all later requests. Only the first reason counts. */
  synchronized boolean end(Supplier<? extends RuntimeException> reason) {
    if (end != null) {
      return false;
    }
    end = reason;
    current.end(reason);
    ahead.values().forEach(boxes -> boxes.end(reason));
    return true;
  }

  synchronized boolean ended() {
    return end != null;
  }

  /** Says that {@code rank} sends nothing more. */
  synchronized void left(int rank) {
    gone.add(rank);
    current.left(rank);
    ahead.values().forEach(boxes -> boxes.left(rank));
  }

  /** The mailboxes of {@code epoch}, or null if it is over. */
  private synchronized @Nullable Mailboxes of(long epoch) {
    if (epoch < number) {
      return null;
    }
    return epoch == number ? current : ahead.computeIfAbsent(epoch, key -> make());
  }

  private Mailboxes make() {
    Mailboxes boxes = new Mailboxes(timeout);
    gone.forEach(boxes::left);
    if (end != null) {
      boxes.end(end);
    }
    return boxes;
  }
}
