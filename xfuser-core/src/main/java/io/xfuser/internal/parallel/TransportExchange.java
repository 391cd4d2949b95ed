package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** Rounds of a group as messages between pairs of ranks. */
final class TransportExchange implements Exchange {
  private final Transport transport;
  private final Group group;

  TransportExchange(Transport transport, Group group) {
    this.transport = transport;
    this.group = group;
  }

  @Override
  public List<Pending> play(Round round) {
    round.outgoing().forEach(this::send);
    return round.sources().stream().map(from -> expect(from, round.operation())).toList();
  }

  @Override
  public List<Pending> allGather(NDArray shard) {
    return play(Round.withAll(group, "all-gather", peer -> List.of(shard)));
  }

  @Override
  public void send(int to, List<NDArray> tensors) {
    transport.send(group.channel(), group.members().get(to), tensors);
  }

  @Override
  public Pending receive(int from) {
    return expect(from, "receive");
  }

  private Pending expect(int from, String operation) {
    return transport.receive(group.channel(), group.members().get(from), operation);
  }
}
