package io.xfuser.parallel.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Accepts connections and shakes hands with each on a thread of its own, so that a silent or
 * foreign one holds up nobody. Only those whose side knows the secret are passed on.
 */
final class Listener implements AutoCloseable {
  /** How long a rank may take to say who it is. */
  static final int GREETING_MILLIS = 10_000;

  /** Connections that have not shaken hands yet; one more, and the oldest is closed. */
  static final int MAX_STRANGERS = 64;

  private static final int BACKLOG = 1024;

  private final ServerSocketChannel server;
  private final String name;
  private final Set<SocketChannel> strangers = new LinkedHashSet<>();

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

  boolean isBound() {
    return server.socket().isBound();
  }

  /** The address that was taken, or null for all. */
  @Nullable InetAddress address() {
    InetAddress address = server.socket().getInetAddress();
    return address == null || address.isAnyLocalAddress() ? null : address;
  }

  /** Starts to accept. {@code greeting} owns the connection; where it throws, it is closed. */
  void start(Handshake.Listening own, Greeting greeting) {
    daemon(name, () -> accept(own, greeting));
  }

  /** This machine and the addresses under which others may reach this listener. */
  Roster.Seat seat() throws IOException {
    InetAddress address = address();
    return new Roster.Seat(
        machine(),
        address == null ? OwnAddresses.all() : List.of(OwnAddresses.text(address)),
        server.socket().getLocalPort());
  }

  @Override
  public void close() {
    closeQuietly(server);
    synchronized (strangers) {
      strangers.forEach(Listener::closeQuietly);
    }
  }

  private void accept(Handshake.Listening own, Greeting greeting) {
    while (server.isOpen()) {
      try {
        SocketChannel channel = server.accept();
        admit(channel);
        daemon(name + "-greeting", () -> greet(own, greeting, channel));
      } catch (IOException e) {
        if (server.isOpen()) {
          pause(50); // out of file descriptors, say: others may still get through later
        }
      }
    }
  }

  /** A rank shakes hands at once, so the oldest stranger is the least likely to be one. */
  private void admit(SocketChannel channel) {
    synchronized (strangers) {
      if (strangers.size() >= MAX_STRANGERS) {
        Iterator<SocketChannel> oldest = strangers.iterator();
        closeQuietly(oldest.next());
        oldest.remove();
      }
      strangers.add(channel);
    }
  }

  private void greet(Handshake.Listening own, Greeting greeting, SocketChannel channel) {
    try {
      Connection connection = Connection.of(channel);
      Handshake.Header header;
      try {
        channel.socket().setTcpNoDelay(true);
        connection = secured(connection, own);
        header = Handshake.answer(connection, own);
      } finally {
        synchronized (strangers) {
          strangers.remove(channel);
        }
      }
      greeting.greet(connection, header);
    } catch (IOException | RuntimeException e) {
      closeQuietly(channel); // not one of ours, or gone
    }
  }

  private static Connection secured(Connection connection, Handshake.Listening own)
      throws IOException {
    try {
      return connection.by(own.tls(), false);
    } catch (SSLException e) {
      String from = connection.remote().getHostAddress();
      own.refused()
          .accept("who calls from %s has no TLS that fits: %s".formatted(from, e.getMessage()));
      throw e;
    }
  }

  /** The same for processes that reach each other by the loopback: containers have their own. */
  private static String machine() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
          + Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
    } catch (IOException e) {
      return "";
    }
  }

  static void daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // nothing can be done about it, and nothing depends on it
    }
  }

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What is done with a new connection whose side knows the secret. */
  interface Greeting {
    void greet(Connection connection, Handshake.Header header) throws IOException;
  }
}
