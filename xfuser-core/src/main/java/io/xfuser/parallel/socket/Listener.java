package io.xfuser.parallel.socket;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Accepts connections and greets each on a thread of its own, so that a silent or foreign one holds
 * up nobody.
 */
final class Listener implements AutoCloseable {
  /** How long a connection may take to say who it is. */
  static final int GREETING_MILLIS = 10_000;

  private static final int BACKLOG = 1024;

  private final ServerSocketChannel server;
  private final boolean local;
  private final String name;

  /** Takes no port yet; reachable through this machine's own addresses only if {@code local}. */
  Listener(boolean local, String name) throws IOException {
    this.server = ServerSocketChannel.open();
    this.local = local;
    this.name = name;
  }

  /** Takes {@code port}, or any that is free if it is 0. */
  void bind(int port) throws IOException {
    server.bind(
        local
            ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
            : new InetSocketAddress(port),
        BACKLOG);
  }

  /** Starts to accept. {@code greeting} owns the connection; where it throws, it is closed. */
  void start(Greeting greeting) {
    daemon(name, () -> accept(greeting));
  }

  /**
   * This machine and the addresses under which others may reach this listener, which takes any free
   * port if it has none.
   */
  Roster.Seat seat() throws IOException {
    if (!server.socket().isBound()) {
      bind(0);
    }
    int port = server.socket().getLocalPort();
    if (local) {
      return new Roster.Seat(
          machine(), List.of(InetAddress.getLoopbackAddress().getHostAddress()), port);
    }
    List<String> addresses =
        NetworkInterface.networkInterfaces()
            .filter(Listener::usable)
            .flatMap(NetworkInterface::inetAddresses)
            .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
            .map(Listener::withoutScope)
            .toList();
    return new Roster.Seat(machine(), addresses, port);
  }

  @Override
  public void close() {
    closeQuietly(server);
  }

  private void accept(Greeting greeting) {
    while (server.isOpen()) {
      try {
        SocketChannel channel = server.accept();
        daemon(name + "-greeting", () -> greet(greeting, channel));
      } catch (IOException e) {
        if (server.isOpen()) {
          pause(50); // out of file descriptors, say: others may still get through later
        }
      }
    }
  }

  private static void greet(Greeting greeting, SocketChannel channel) {
    try {
      channel.socket().setTcpNoDelay(true);
      channel.socket().setSoTimeout(GREETING_MILLIS);
      greeting.greet(channel);
    } catch (IOException | RuntimeException e) {
      closeQuietly(channel); // not one of ours, or gone
    }
  }

  private static boolean usable(NetworkInterface link) {
    try {
      return link.isUp() && !link.isLoopback();
    } catch (SocketException e) {
      return false;
    }
  }

  /** Java adds the interface's name to IPv6 addresses; other machines have others. */
  private static String withoutScope(InetAddress address) {
    return address.getHostAddress().replaceFirst("%.*", "");
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

  /** What is done with a new connection. */
  interface Greeting {
    void greet(SocketChannel channel) throws IOException;
  }
}
