package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDList;
import io.xfuser.failure.CommunicationException;
import io.xfuser.torchscript.SharedTensor;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one route, matched with the receives in the order both were posted, so that receives
 * may be awaited in any order.
 */
final class Mailbox {
  private final Mailboxes.Route route;
  private final Duration timeout;
  private final Queue<List<SharedTensor>> unasked = new ArrayDeque<>();
  private final List<Receive> open = new ArrayList<>(); // posted, not awaited yet
  private @Nullable Supplier<? extends RuntimeException> end;
  private boolean left;

  Mailbox(Mailboxes.Route route, Duration timeout) {
    this.route = route;
    this.timeout = timeout;
  }

  synchronized void deliver(List<SharedTensor> message) {
    if (end != null) {
      message.forEach(SharedTensor::close); // nobody will take it
      return;
    }
    for (Receive receive : open) {
      if (receive.message == null) {
        receive.message = message;
        notifyAll();
        return;
      }
    }
    unasked.add(message);
  }

  synchronized Pending post(String operation) {
    Receive receive = new Receive(operation);
    receive.message = unasked.poll();
    open.add(receive);
    return owner ->
        new NDList(take(receive).stream().map(tensor -> tensor.receive(owner)).toList());
  }

  /** Pending and later receives throw what {@code reason} makes. */
  synchronized void end(Supplier<? extends RuntimeException> reason) {
    if (end == null) {
      end = reason;
      unasked.forEach(message -> message.forEach(SharedTensor::close));
      unasked.clear();
      for (Receive receive : open) {
        if (receive.message != null) {
          receive.message.forEach(SharedTensor::close);
        }
      }
      open.clear();
      notifyAll();
    }
  }

  /** No more messages will come; those that are here can still be taken. */
  synchronized void left() {
    left = true;
    notifyAll();
  }

  private synchronized List<SharedTensor> take(Receive receive) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      if (end != null) {
        throw end.get();
      }
      List<SharedTensor> message = receive.message;
      if (message != null) {
        if (!open.remove(receive)) {
          throw new IllegalStateException("a message is awaited twice");
        }
        return message;
      }
      if (left) {
        throw new CommunicationException(
            String.format(
                "rank %d has left while rank %d waited for it in %s %s",
                route.from(), route.to(), route.channel().label(), receive.operation));
      }
      long millis = (deadline - System.nanoTime()) / 1_000_000;
      if (millis <= 0) {
        throw new CommunicationException(
            String.format(
                "rank %d waited %s for rank %d in %s %s",
                route.to(),
                Mailboxes.seconds(timeout),
                route.from(),
                route.channel().label(),
                receive.operation));
      }
      try {
        wait(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted while waiting for a message", e);
      }
    }
  }

  /** A posted receive; guarded by the mailbox. */
  private static final class Receive {
    private final String operation;
    private @Nullable List<SharedTensor> message;

    Receive(String operation) {
      this.operation = operation;
    }
  }
}
