package io.xfuser.parallel.socket;

import io.xfuser.failure.CommunicationException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * The connections of this rank to all others, two to each: one for tensors, and one for signs of
 * life and failures, which tensors must not hold up. The higher rank connects to the lower.
 */
final class Mesh implements AutoCloseable {
  private static final int CONNECT_MILLIS = 3_000;

  /** How long a rank that has shaken hands may take to say what it wants. */
  static final Duration GREETING = Duration.ofSeconds(10);

  private static final byte TAKEN = 1;

  private final SocketConfig config;
  private final Rendezvous rendezvous;
  private final Roster roster;
  private final Map<Integer, SocketChannel> signals = new TreeMap<>();
  private final Map<Integer, SocketChannel> tensors = new TreeMap<>();
  private boolean closed;

  private Mesh(SocketConfig config, Rendezvous rendezvous, Roster roster) {
    this.config = config;
    this.rendezvous = rendezvous;
    this.roster = roster;
  }

  /** Connects to all of {@code roster}; {@code listener} is the one this rank has announced. */
  static Mesh connect(
      SocketConfig config, Rendezvous rendezvous, Listener listener, Roster roster) {
    Mesh mesh = new Mesh(config, rendezvous, roster);
    try {
      listener.start(
          new Handshake.Listening(
              mesh.world(),
              config.rank(),
              config.master().secret(),
              config.master().tls(),
              refused -> {}),
          mesh::accept);
      for (int peer = 0; peer < config.rank(); peer++) {
        mesh.keep(mesh.signals, peer, mesh.dial(peer, Handshake.SIGNALS));
        mesh.keep(mesh.tensors, peer, mesh.dial(peer, Handshake.TENSORS));
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
    signals.values().forEach(Listener::closeQuietly);
    tensors.values().forEach(Listener::closeQuietly);
  }

  private String world() {
    return "session " + roster.session();
  }

  private void accept(Connection connection, Handshake.Header header) throws IOException {
    SocketChannel channel = connection.channel();
    int peer = header.from();
    if (peer <= config.rank() || peer >= config.size() || header.purpose() == Handshake.JOIN) {
      throw new IOException("rank " + peer + " does not call this one");
    }
    channel.socket().getOutputStream().write(TAKEN);
    // from here on others write to it
    keep(header.purpose() == Handshake.SIGNALS ? signals : tensors, peer, channel);
  }

  /** A later connection replaces an earlier one, whose answer the peer did not get. */
  private synchronized void keep(
      Map<Integer, SocketChannel> place, int peer, SocketChannel channel) {
    if (closed) {
      Listener.closeQuietly(channel);
      return;
    }
    SocketChannel earlier = place.put(peer, channel);
    if (earlier != null) {
      Listener.closeQuietly(earlier);
    }
    notifyAll();
  }

  private SocketChannel dial(int peer, byte purpose) {
    Roster.Seat seat = roster.seats().get(peer);
    long deadline = System.nanoTime() + config.limits().rendezvous().toNanos();
    String why = "";
    while (System.nanoTime() < deadline) {
      for (String address : seat.addresses()) {
        try {
          return dial(new InetSocketAddress(address, seat.port()), peer, purpose);
        } catch (IOException e) {
          why = e.getMessage();
        }
      }
      rendezvous.check();
      Listener.pause(100);
    }
    throw new CommunicationException(
        String.format(
            "rank %d cannot reach rank %d at port %d of %s: %s",
            config.rank(), peer, seat.port(), seat.addresses(), why));
  }

  private SocketChannel dial(InetSocketAddress address, int peer, byte purpose) throws IOException {
    Connection connection = Connection.to(address, CONNECT_MILLIS, config.master().tls());
    SocketChannel channel = connection.channel();
    try {
      Handshake.Header header = new Handshake.Header(purpose, world(), peer, config.rank());
      if (!Handshake.call(connection, header, config.master().secret())
          || new TimedInput(channel, GREETING, rendezvous::check).read() != TAKEN) {
        throw new IOException("rank " + peer + " is not at " + address);
      }
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private synchronized void awaitAll() {
    long deadline = System.nanoTime() + config.limits().rendezvous().toNanos();
    int peers = config.size() - 1;
    while (signals.size() < peers || tensors.size() < peers) {
      rendezvous.check();
      if (System.nanoTime() > deadline) {
        throw new CommunicationException(
            String.format(
                "rank %d is connected to %s only, not to all of %d ranks",
                config.rank(), tensors.keySet(), config.size()));
      }
      try {
        wait(100);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted during the rendezvous", e);
      }
    }
  }
}
