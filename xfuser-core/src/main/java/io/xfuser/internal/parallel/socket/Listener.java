package io.xfuser.internal.parallel.socket;

import io.xfuser.internal.parallel.OwnAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Accepts connections and shakes hands with each on a thread of its own, so that a silent or
 * foreign one holds up nobody. Only those whose side knows the secret are passed on.
 */
final class Listener implements AutoCloseable {
  /** Connections that have not shaken hands yet; one more, and the oldest is closed. */
  static final int MAX_STRANGERS = 64;

  private static final int BACKLOG = 1024;

  private final ServerSocketChannel server;
  private final String name;
  private final BlockingQueue<SocketChannel> strangers = // the oldest first
      new ArrayBlockingQueue<>(MAX_STRANGERS);

  /** What is done with a new connection whose side knows the secret. */
  interface Greeting {
    void greet(Connection connection, Handshake.Call call) throws IOException;
  }

  /** Takes no port yet. */
  Listener(String name) throws IOException {
    this.server = ServerSocketChannel.open();
    this.name = name;
  }

  /**
   * Takes {@code port} of {@code address}, of all addresses where it is null; any free one if 0.
   */
  void bind(@Nullable InetAddress address, int port) throws IOException {
    server.bind(
        address == null ? new InetSocketAddress(port) : new InetSocketAddress(address, port),
        BACKLOG);
  }

  /** The address that was taken, or null for all. */
  @Nullable InetAddress address() {
    InetAddress address = server.socket().getInetAddress();
    return address == null || address.isAnyLocalAddress() ? null : address;
  }

  /** Where others may reach this listener. */
  Roster.Seat seat() throws IOException {
    InetAddress address = address();
    return new Roster.Seat(
        address == null ? OwnAddresses.all() : List.of(OwnAddresses.text(address)),
        server.socket().getLocalPort());
  }

  /** Starts to accept. {@code greeting} owns the connection; where it throws, it is closed. */
  void start(Handshake.Listening own, Greeting greeting) {
    Daemon.start(
        name,
        () -> {
          while (server.isOpen()) {
            try {
              SocketChannel channel = server.accept();
              admit(channel);
              Daemon.start(name + "-greeting", () -> greet(own, greeting, channel));
            } catch (IOException e) {
              Deadline.pause(50); // out of file descriptors, say: others may get through later
            }
          }
        });
  }

  @Override
  public void close() {
    Connection.closeQuietly(server);
    strangers.forEach(Connection::closeQuietly);
  }

  /** A rank shakes hands at once, so the oldest stranger is the least likely to be one. */
  private void admit(SocketChannel channel) {
    while (!strangers.offer(channel)) {
      SocketChannel oldest = strangers.poll();
      if (oldest != null) {
        Connection.closeQuietly(oldest);
      }
    }
  }

  private void greet(Handshake.Listening own, Greeting greeting, SocketChannel channel) {
    try {
      Connection connection = Connection.of(channel).by(own.tls(), false);
      Handshake.Call call = Handshake.answer(connection, own);
      strangers.remove(channel); // else it might be closed in favour of a later one
      greeting.greet(connection, call);
    } catch (SSLException e) {
      own.refused()
          .accept(
              "who calls from %s has no TLS that fits: %s"
                  .formatted(channel.socket().getInetAddress().getHostAddress(), e.getMessage()));
      Connection.closeQuietly(channel);
    } catch (IOException | RuntimeException e) {
      Connection.closeQuietly(channel); // not one of ours, or gone
    } finally {
      strangers.remove(channel);
    }
  }
}
