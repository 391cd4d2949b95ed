package io.xfuser.parallel.inprocess;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.CommunicationException;
import io.xfuser.parallel.Pending;
import io.xfuser.parallel.Transport;
import io.xfuser.parallel.inprocess.InProcessRanks.Route;
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
    ranks
        .mailbox(new Route(channel, rank, to))
        .put(tensors.stream().map(SharedTensor::of).toList());
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    Mailbox mailbox = ranks.mailbox(new Route(channel, from, rank));
    return owner -> {
      List<SharedTensor> message = mailbox.take();
      if (message == null) {
        throw new CommunicationException(
            String.format(
                "rank %d waited %d s for rank %d in %s %s",
                rank, ranks.timeout().toSeconds(), from, channel.label(), operation));
      }
      return new NDList(message.stream().map(tensor -> tensor.receive(owner)).toList());
    };
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
    ranks.fail(rank, cause);
  }

  @Override
  public void close() {
    // owns nothing
  }
}
