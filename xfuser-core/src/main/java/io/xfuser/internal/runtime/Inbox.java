package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Messages of tensors from one peer; the next receive is posted before the present one is used. */
final class Inbox {
  private final Communicator ranks;
  private final int from;
  private int left;
  private @Nullable Pending posted;

  /** Expects {@code count} messages of rank {@code from}. */
  Inbox(Communicator ranks, int from, int count) {
    this.ranks = ranks;
    this.from = from;
    this.left = count;
    post();
  }

  private void post() {
    posted = left > 0 ? ranks.receive(from) : null;
    left--;
  }

  /** The next message's tensors. */
  List<NDArray> next(NDManager owner) {
    Pending due = posted;
    if (due == null) {
      throw new IllegalStateException("no further message is expected of stage " + from);
    }
    post();
    return due.await(owner);
  }
}
