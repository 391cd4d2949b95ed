package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.TreeMap;

/**
 * The connections of this rank to all others, two to each: one for tensors, and one for signs of
 * life and failures, which tensors must not hold up. The higher rank connects to the lower.
 */
final class Mesh implements AutoCloseable {
  private final SocketConfig config;
  private final Roster roster;
  private final Rendezvous rendezvous;
  private final Map<Integer, SocketChannel> signals = new TreeMap<>();
  private final Map<Integer, SocketChannel> tensors = new TreeMap<>();
  private boolean closed;

  private Mesh(SocketConfig config, Roster roster, Rendezvous rendezvous) {
    this.config = config;
    this.roster = roster;
    this.rendezvous = rendezvous;
  }

  /** Connects to all of {@code roster}; {@code listener} is the one this rank has announced. */
  static Mesh connect(
      SocketConfig config, Rendezvous rendezvous, Listener listener, Roster roster) {
    Mesh mesh = new Mesh(config, roster, rendezvous);
    try {
      SocketConfig.Master master = config.master();
      listener.start(
          new Handshake.Listening(
              mesh.world(), config.rank(), master.secret(), master.tls(), refused -> {}),
          mesh::accept);
      for (int peer = 0; peer < config.rank(); peer++) {
        mesh.call(peer, Handshake.SIGNALS);
        mesh.call(peer, Handshake.TENSORS);
      }
      mesh.awaitAll();
      return mesh;
    } catch (RuntimeException e) {
      mesh.close();
      throw e;
    }
  }

  /** The connections for signs of life and failures, by rank. */
  synchronized Map<Integer, SocketChannel> signals() {
    return new TreeMap<>(signals);
  }

  /** The connections for tensors, by rank. */
  synchronized Map<Integer, SocketChannel> tensors() {
    return new TreeMap<>(tensors);
  }

  @Override
  public synchronized void close() {
    closed = true;
    signals.values().forEach(Connection::closeQuietly);
    tensors.values().forEach(Connection::closeQuietly);
  }

  private String world() {
    return "session " + roster.session();
  }

  private void accept(Connection connection, Handshake.Call call) throws IOException {
    int peer = call.from();
    if (peer <= config.rank() || peer >= config.size() || call.purpose() == Handshake.JOIN) {
      throw new IOException("rank " + peer + " does not call this one");
    }
    keep(peer, call.purpose(), connection.channel());
  }

  /** A later connection replaces an earlier one, whose answer the peer did not get. */
  private synchronized void keep(int peer, byte purpose, SocketChannel channel) {
    if (closed) {
      Connection.closeQuietly(channel);
      return;
    }
    SocketChannel earlier = (purpose == Handshake.SIGNALS ? signals : tensors).put(peer, channel);
    if (earlier != null) {
      Connection.closeQuietly(earlier);
    }
  }

  private void call(int peer, byte purpose) {
    Roster.Seat seat = roster.seats().get(peer);
    Handshake.Call call = new Handshake.Call(purpose, world(), peer, config.rank());
    Deadline deadline = Deadline.after(config.limits().rendezvous());
    String why = "";
    while (!deadline.isOver()) {
      for (String address : seat.addresses()) {
        try {
          InetSocketAddress place = new InetSocketAddress(address, seat.port());
          Connection found = Connection.call(place, call, config.master());
          if (found != null) {
            keep(peer, purpose, found.channel());
            return;
          }
          why = "another rank listens at " + place;
        } catch (IOException e) {
          why = e.getMessage();
        }
      }
      rendezvous.check();
      Deadline.pause(100);
    }
    throw new CommunicationException(
        "rank %d cannot reach rank %d at port %d of %s: %s"
            .formatted(config.rank(), peer, seat.port(), seat.addresses(), why));
  }

  private void awaitAll() {
    Deadline deadline = Deadline.after(config.limits().rendezvous());
    int peers = config.size() - 1;
    while (signals().size() < peers || tensors().size() < peers) {
      rendezvous.check();
      if (deadline.isOver()) {
        throw new CommunicationException(
            "rank %d is connected to %s only, not to all of %d ranks"
                .formatted(config.rank(), tensors().keySet(), config.size()));
      }
      Deadline.pause(5);
    }
  }
}
