package io.xfuser.internal.parallel.socket;

import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.TreeMap;

/**
 * The connections of this rank to all others, two to each: one for tensors, and one for signs of
 * life and failures, which tensors must not hold up. The higher rank connects to the lower.
 *
 * @param signals for signs of life and failures, by rank
 * @param tensors for tensors, by rank
 */
record Mesh(Map<Integer, SocketChannel> signals, Map<Integer, SocketChannel> tensors) {
  /** One without connections. */
  Mesh() {
    this(new TreeMap<>(), new TreeMap<>());
  }

  /** Takes a connection; a later one replaces an earlier one, whose answer the peer did not get. */
  void keep(int peer, byte purpose, SocketChannel channel) {
    SocketChannel earlier = (purpose == Handshake.SIGNALS ? signals : tensors).put(peer, channel);
    if (earlier != null) {
      Connection.closeQuietly(earlier);
    }
  }

  void close() {
    signals.values().forEach(Connection::closeQuietly);
    tensors.values().forEach(Connection::closeQuietly);
  }
}
