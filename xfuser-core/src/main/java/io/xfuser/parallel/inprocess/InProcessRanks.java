package io.xfuser.parallel.inprocess;

import io.xfuser.parallel.CancelledException;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.CommunicationException;
import io.xfuser.parallel.Transport;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Ranks that are threads of one JVM. Tensors are handed over, not copied: sender and receiver hold
 * the same memory. Made anew for every request, so that a failed one leaves nothing behind.
 */
public final class InProcessRanks {
  private final int size;
  private final Duration timeout;
  private final String[] activities;
  private final Map<Route, Mailbox> mailboxes = new ConcurrentHashMap<>();
  private volatile @Nullable CommunicationException failure;

  /**
   * With {@code size} ranks.
   *
   * @param timeout how long a rank waits for a message before it gives up
   */
  public InProcessRanks(int size, Duration timeout) {
    this.size = size;
    this.timeout = timeout;
    this.activities = new String[size];
    Arrays.fill(activities, "starting");
  }

  /** The transport of {@code rank}, for that rank's thread. */
  public Transport transport(int rank) {
    return new InProcessTransport(this, rank);
  }

  int size() {
    return size;
  }

  Duration timeout() {
    return timeout;
  }

  void activity(int rank, String what) {
    activities[rank] = what;
  }

  Mailbox mailbox(Route route) {
    return mailboxes.computeIfAbsent(route, key -> new Mailbox(this));
  }

  @Nullable CommunicationException failure() {
    return failure;
  }

  void cancel(String reason) {
    end(new CancelledException(reason));
  }

  void fail(int rank, Throwable cause) {
    end(
        new CommunicationException(
            "rank " + rank + " failed while " + activities[rank] + ": " + cause.getMessage(),
            cause));
  }

  private synchronized void end(CommunicationException reason) {
    if (failure == null) {
      failure = reason;
      mailboxes.values().forEach(Mailbox::wake);
    }
  }

  /** Where a message goes. */
  record Route(Channel channel, int from, int to) {}
}
