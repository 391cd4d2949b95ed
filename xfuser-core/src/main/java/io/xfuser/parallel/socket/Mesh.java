package io.xfuser.parallel.socket;

import io.xfuser.parallel.CommunicationException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The connections of this rank to all others, two to each: one for tensors, and one for signs of
 * life and failures, which tensors must not hold up. The higher rank connects to the lower.
 */
final class Mesh implements AutoCloseable {
  private static final int CONNECT_MILLIS = 3_000;
  private static final byte ACCEPTED = 1;
  private static final byte SIGNALS = 2;
  private static final byte TENSORS = 3;

  private final SocketConfig config;
  private final Rendezvous rendezvous;
  private final Roster roster;
  private final Map<Integer, SocketChannel> signals = new TreeMap<>();
  private final Map<Integer, SocketChannel> tensors = new TreeMap<>();

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
      listener.start(mesh::accept);
      for (int peer = 0; peer < config.rank(); peer++) {
        mesh.keep(mesh.signals, peer, mesh.dial(peer, SIGNALS));
        mesh.keep(mesh.tensors, peer, mesh.dial(peer, TENSORS));
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
    signals.values().forEach(Listener::closeQuietly);
    tensors.values().forEach(Listener::closeQuietly);
  }

  private void accept(SocketChannel channel) throws IOException {
    DataInputStream in = new DataInputStream(channel.socket().getInputStream());
    if (in.readLong() != Hello.MAGIC || !in.readUTF().equals(roster.session())) {
      throw new IOException("not of this world");
    }
    int meant = in.readInt();
    int peer = in.readInt();
    Map<Integer, SocketChannel> place = in.readByte() == SIGNALS ? signals : tensors;
    if (meant != config.rank()) {
      // hosts may have equal addresses (of a container's bridge, say), and equal ports on them
      throw new IOException("for rank " + meant);
    }
    channel.socket().setSoTimeout(0);
    channel.socket().getOutputStream().write(ACCEPTED);
    keep(place, peer, channel); // from here on others write to it
  }

  /** A later connection replaces an earlier one, whose answer the peer did not get. */
  private synchronized void keep(
      Map<Integer, SocketChannel> place, int peer, SocketChannel channel) {
    SocketChannel earlier = place.put(peer, channel);
    if (earlier != null) {
      Listener.closeQuietly(earlier);
    }
    notifyAll();
  }

  private SocketChannel dial(int peer, byte purpose) {
    Roster.Seat seat = roster.seats().get(peer);
    List<String> addresses = new ArrayList<>();
    if (seat.machine().equals(roster.seats().get(config.rank()).machine())) {
      addresses.add("127.0.0.1");
    }
    addresses.addAll(seat.addresses());
    long deadline = System.nanoTime() + config.limits().rendezvous().toNanos();
    String why = "";
    while (System.nanoTime() < deadline) {
      for (String address : addresses) {
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
            config.rank(), peer, seat.port(), addresses, why));
  }

  private SocketChannel dial(InetSocketAddress address, int peer, byte purpose) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.socket().connect(address, CONNECT_MILLIS);
      channel.socket().setTcpNoDelay(true);
      channel.socket().setSoTimeout(Listener.GREETING_MILLIS);
      DataOutputStream out = new DataOutputStream(channel.socket().getOutputStream());
      out.writeLong(Hello.MAGIC);
      out.writeUTF(roster.session());
      out.writeInt(peer);
      out.writeInt(config.rank());
      out.writeByte(purpose);
      if (channel.socket().getInputStream().read() != ACCEPTED) {
        throw new IOException("rank " + peer + " is not at " + address);
      }
      channel.socket().setSoTimeout(0);
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
