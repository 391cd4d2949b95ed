package io.xfuser.parallel.inprocess;

import io.xfuser.parallel.CommunicationException;
import io.xfuser.torchscript.SharedTensor;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Messages from one rank to another that were not taken yet. */
final class Mailbox {
  private final InProcessRanks ranks;
  private final Queue<List<SharedTensor>> messages = new ArrayDeque<>();

  Mailbox(InProcessRanks ranks) {
    this.ranks = ranks;
  }

  synchronized void put(List<SharedTensor> message) {
    if (ranks.failure() != null) {
      message.forEach(SharedTensor::close); // nobody will take it
      return;
    }
    messages.add(message);
    notifyAll();
  }

  /** The oldest message, or null if none came in time. */
  synchronized @Nullable List<SharedTensor> take() {
    long deadline = System.nanoTime() + ranks.timeout().toNanos();
    while (true) {
      CommunicationException failure = ranks.failure();
      if (failure != null) {
        throw failure;
      }
      List<SharedTensor> message = messages.poll();
      if (message != null) {
        return message;
      }
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return null;
      }
      try {
        wait(left / 1_000_000 + 1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted while waiting for a message", e);
      }
    }
  }

  synchronized void wake() {
    messages.forEach(message -> message.forEach(SharedTensor::close));
    messages.clear();
    notifyAll();
  }
}
