package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.weights.Collectives;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Says when this rank is in a collective: while it sends or waits on a channel of one. What comes
 * from another stage of a pipeline is none, and no broadcast: there is much to wait for then, a
 * text that is encoded, and the link is idle.
 */
final class CollectiveTransport extends ForwardingTransport {
  private static final Set<Channel> OTHERS =
      EnumSet.of(Channel.PIPEFUSION, Channel.SKIP, Channel.WORLD);

  private static final String BROADCAST = "broadcast";

  private final Collectives collectives;

  CollectiveTransport(Transport inner, Collectives collectives) {
    super(inner);
    this.collectives = collectives;
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    boolean unused =
        during(
            channel,
            () -> {
              super.send(channel, to, tensors);
              return true;
            });
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    Pending pending = super.receive(channel, from, operation);
    if (operation.equals(BROADCAST)) {
      return pending;
    }
    return owner -> during(channel, () -> pending.await(owner));
  }

  private <T> T during(Channel channel, Supplier<T> work) {
    if (OTHERS.contains(channel)) {
      return work.get();
    }
    collectives.begin();
    try {
      return work.get();
    } finally {
      collectives.end();
    }
  }
}
