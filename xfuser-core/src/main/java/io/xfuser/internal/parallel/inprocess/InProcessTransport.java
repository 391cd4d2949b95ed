package io.xfuser.internal.parallel.inprocess;

import ai.djl.ndarray.NDArray;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Mailboxes.Route;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.torchscript.SharedTensor;
import java.util.List;

/** One thread's view of {@link InProcessRanks}. */
final class InProcessTransport implements Transport {
  private final InProcessRanks ranks;
  private final int rank;

  InProcessTransport(InProcessRanks ranks, int rank) {
    this.ranks = ranks;
    this.rank = rank;
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return ranks.size();
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    check();
    ranks
        .mailboxes()
        .deliver(new Route(channel, rank, to), tensors.stream().map(SharedTensor::of).toList());
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    return ranks.mailboxes().receive(new Route(channel, from, rank), operation);
  }

  /** Ranks of one JVM are never lost. */
  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void check() {
    ranks.mailboxes().check();
  }

  @Override
  public void activity(String what) {
    ranks.activity(rank, what);
  }

  @Override
  public void begin() {
    // the ranks are made anew for every request
  }

  @Override
  public void cancel(String reason) {
    ranks.cancel(reason);
  }

  @Override
  public void fail(Throwable cause) {
    if (!(cause instanceof MismatchException)) { // which all ranks throw by themselves
      ranks.fail(rank, cause);
    }
  }

  @Override
  public void close() {
    ranks.mailboxes().left(rank);
  }
}
