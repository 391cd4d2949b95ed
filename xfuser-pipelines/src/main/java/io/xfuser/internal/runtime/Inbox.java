package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Messages of tensors from one peer; the next receive is posted before the present one is used, if
 * it is known how many there are.
 */
final class Inbox {
  private final Communicator ranks;
  private final int from;
  private final boolean counted;
  private int left;
  private @Nullable Pending posted;

  /** Expects {@code count} messages of rank {@code from}. */
  Inbox(Communicator ranks, int from, int count) {
    this.ranks = ranks;
    this.from = from;
    this.counted = true;
    this.left = count;
    post();
  }

  /** Expects nobody knows how many messages of rank {@code from}. */
  Inbox(Communicator ranks, int from) {
    this.ranks = ranks;
    this.from = from;
    this.counted = false;
  }

  /** Expects {@code count} messages, if it is known. */
  static Inbox of(Communicator ranks, int from, OptionalInt count) {
    return count.isPresent() ? new Inbox(ranks, from, count.getAsInt()) : new Inbox(ranks, from);
  }

  private void post() {
    posted = left > 0 ? ranks.receive(from) : null;
    left--;
  }

  /** The next message's tensors. */
  List<NDArray> next(NDManager owner) {
    if (!counted) {
      return ranks.receive(from).await(owner);
    }
    Pending due = posted;
    if (due == null) {
      throw new IllegalStateException("no further message is expected of stage " + from);
    }
    post();
    return due.await(owner);
  }
}
