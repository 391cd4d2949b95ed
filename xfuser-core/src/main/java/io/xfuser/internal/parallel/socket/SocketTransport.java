package io.xfuser.internal.parallel.socket;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Mailboxes.Route;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** One rank's messages to and from all others, each of which is a process. */
final class SocketTransport implements Transport {
  private final SocketConfig config;
  private final Epochs epochs;
  private final Map<Integer, Peer> links = new TreeMap<>();
  private final Signals signals;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Over the connections of {@code mesh}.
   *
   * @param rings the shared memory with each rank
   * @param sharedBytes tensors of this many bytes go through shared memory
   */
  SocketTransport(SocketConfig config, Mesh mesh, Map<Integer, SharedRings> rings, long sharedBytes)
      throws IOException {
    this.config = config;
    this.epochs = new Epochs(config.limits().message());
    this.signals = new Signals(config, mesh.signals(), new Verdict());
    mesh.tensors()
        .forEach(
            (peer, channel) -> {
              SharedRings shared = rings.getOrDefault(peer, SharedRings.NONE);
              links.put(
                  peer,
                  new Peer(
                      channel,
                      shared,
                      new TensorWriter(channel, shared.out(), sharedBytes),
                      new TensorReader(channel, shared.in())));
            });
  }

  SocketTransport start() {
    String name = "xfuser-rank" + config.rank();
    Daemon.start(name + "-signals", signals::run);
    links.forEach(
        (peer, link) -> {
          Daemon.start(name + "-to" + peer, () -> write(peer, link));
          Daemon.start(name + "-from" + peer, () -> read(peer, link));
        });
    return this;
  }

  @Override
  public int rank() {
    return config.rank();
  }

  @Override
  public int size() {
    return config.size();
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    check();
    if (to < 0 || to >= size()) {
      throw new IllegalArgumentException("rank " + to + " is not in a world of " + size());
    }
    long epoch = epochs.number();
    List<SharedTensor> handles;
    try (NDManager scope = Torch.newManager()) {
      handles = tensors.stream().map(x -> SharedTensor.of(writable(scope, x))).toList();
    }
    Peer link = links.get(to);
    if (link == null) {
      epochs.deliver(epoch, new Route(channel, to, to), handles);
    } else {
      link.writer().send(new TensorWriter.Outgoing(epoch, channel, handles));
    }
  }

  private static NDArray writable(NDManager scope, NDArray tensor) {
    if (tensor.getDevice().isGpu()) {
      throw new IllegalArgumentException(
          "sockets carry tensors of the CPU, not of " + tensor.getDevice());
    }
    return Torch.contiguous(scope, tensor);
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    return epochs.current().receive(new Route(channel, from, rank()), operation);
  }

  @Override
  public boolean isOpen() {
    return !epochs.ended();
  }

  @Override
  public void check() {
    epochs.current().check();
  }

  @Override
  public void activity(String what) {
    signals.activity(what);
  }

  @Override
  public void begin() {
    epochs.begin();
  }

  @Override
  public void cancel(String reason) {
    endRequest(new Signal(Signal.SignalKind.CANCEL, epochs.number(), reason));
  }

  @Override
  public void fail(Throwable cause) {
    boolean everywhere = cause instanceof CancelledException || cause instanceof MismatchException;
    if (!everywhere && !epochs.current().ended()) {
      RankException failure = RankException.of(rank(), signals.activity(), cause);
      endRequest(new Signal(Signal.SignalKind.REQUEST_FAILURE, epochs.number(), failure.encoded()));
    }
  }

  private void endRequest(Signal signal) {
    signals.endRequest(signal);
    epochs.end(signal);
  }

  /** Ends the world: a connection of this rank can be used no more. */
  private void lose(Throwable cause) {
    if (!epochs.ended()) {
      signals.fail(RankException.of(rank(), signals.activity(), cause));
    }
  }

  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    boolean inOrder = !epochs.ended();
    if (inOrder) {
      links.values().forEach(link -> link.writer().farewell());
    }
    signals.farewell();
    if (inOrder) {
      signals.awaitFarewellSeen(config.limits().message());
    }
    epochs.end(() -> new CommunicationException("rank " + rank() + " has left the world"));
    links.values().forEach(Peer::close);
    signals.stop();
  }

  private void write(int peer, Peer link) {
    try {
      link.writer().run();
    } catch (IOException e) {
      signals.broken(peer, e);
    } catch (RuntimeException | Error e) {
      lose(e);
    }
  }

  private void read(int peer, Peer link) {
    try {
      link.reader()
          .run(
              (header, tensors) ->
                  epochs.deliver(
                      header.epoch(), new Route(header.channel(), peer, rank()), tensors));
      signals.farewellArrived(peer);
    } catch (ClosedChannelException e) {
      // closed by this rank, which has failed or left
    } catch (IOException e) {
      signals.broken(peer, e);
    } catch (RuntimeException | Error e) {
      lose(e); // no memory for the tensor, say
    }
  }

  /** One rank's connection for tensors. */
  private record Peer(
      SocketChannel channel, SharedRings rings, TensorWriter writer, TensorReader reader) {
    void close() {
      rings.close();
      writer.close();
      Connection.closeQuietly(channel);
    }
  }

  /** What the signals make known. */
  private final class Verdict implements Signals.Outcome {
    @Override
    public void failed(RankException failure) {
      epochs.end(() -> RankException.decoded(failure.encoded())); // one for each who throws it
      links.values().forEach(Peer::close);
    }

    @Override
    public void requestEnded(Signal signal) {
      epochs.end(signal);
    }

    @Override
    public void left(int rank) {
      epochs.left(rank);
    }
  }
}
