package io.xfuser.internal.parallel.inprocess;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Mailboxes;
import io.xfuser.internal.parallel.Transport;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Ranks that are threads of one JVM. Tensors are handed over, not copied: sender and receiver hold
 * the same memory. Made anew for every request, so that a failed one leaves nothing behind.
 */
public final class InProcessRanks {
  private final int size;
  private final AtomicReferenceArray<String> activities;
  private final Mailboxes mailboxes;

  /**
   * With {@code size} ranks.
   *
   * @param timeout how long a rank waits for a message before it gives up
   */
  public InProcessRanks(int size, Duration timeout) {
    this.size = size;
    this.mailboxes = new Mailboxes(timeout);
    this.activities = new AtomicReferenceArray<>(size);
    for (int rank = 0; rank < size; rank++) {
      activities.set(rank, "starting");
    }
  }

  /** The transport of {@code rank}, for that rank's thread. */
  public Transport transport(int rank) {
    return new InProcessTransport(this, rank);
  }

  int size() {
    return size;
  }

  Mailboxes mailboxes() {
    return mailboxes;
  }

  void activity(int rank, String what) {
    activities.set(rank, what);
  }

  void cancel(String reason) {
    mailboxes.end(() -> new CancelledException(reason));
  }

  void fail(int rank, Throwable cause) {
    String activity = activities.get(rank);
    mailboxes.end(() -> RankException.of(rank, activity, cause));
  }
}
