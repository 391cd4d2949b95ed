package io.xfuser.internal.parallel;

import io.xfuser.torchscript.SharedTensor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What has arrived and is awaited in one request, for the transports. Any thread may call. */
public final class Mailboxes {
  private final Duration timeout;
  private final Map<Route, Mailbox> boxes = new ConcurrentHashMap<>();
  private final Set<Integer> gone = ConcurrentHashMap.newKeySet();
  private volatile @Nullable Supplier<? extends RuntimeException> end;

  /**
   * Empty ones.
   *
   * @param timeout how long a rank waits for a message before it gives up
   */
  public Mailboxes(Duration timeout) {
    this.timeout = timeout;
  }

  /** Hands over a message, which is closed if nobody can take it any more. */
  public void deliver(Route route, List<SharedTensor> message) {
    box(route).deliver(message);
  }

  /** Posts the receive of the next message on {@code route}; {@code operation} says what for. */
  public Pending receive(Route route, String operation) {
    return box(route).post(operation);
  }

  /**
   * Makes pending and later receives throw a new exception of {@code reason}, and releases what has
   * arrived. Only the first reason counts.
   */
  public void end(Supplier<? extends RuntimeException> reason) {
    synchronized (this) {
      if (end != null) {
        return;
      }
      end = reason;
    }
    boxes.values().forEach(box -> box.end(reason));
  }

  /** Says that {@code rank} sends nothing more: who still waits for it will throw. */
  public void left(int rank) {
    gone.add(rank);
    boxes.forEach(
        (route, box) -> {
          if (route.from() == rank) {
            box.left();
          }
        });
  }

  /** Whether {@link #end} was called. */
  public boolean ended() {
    return end != null;
  }

  /** Throws the reason of the {@link #end}, if it was called. */
  public void check() {
    Supplier<? extends RuntimeException> reason = end;
    if (reason != null) {
      throw reason.get();
    }
  }

  /** {@code time} as failures tell it: {@code 20 s} or {@code 0.5 s}. */
  public static String seconds(Duration time) {
    return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() / 1000.0 + " s";
  }

  private Mailbox box(Route route) {
    Mailbox box = boxes.computeIfAbsent(route, key -> new Mailbox(key, timeout));
    // a box made after end() or left() went over the others
    Supplier<? extends RuntimeException> reason = end;
    if (reason != null) {
      box.end(reason);
    }
    if (gone.contains(route.from())) {
      box.left();
    }
    return box;
  }

  /**
   * Where a message goes.
   *
   * @param channel what it is about
   * @param from the sender's rank
   * @param to the receiver's rank
   */
  public record Route(Channel channel, int from, int to) {}
}
