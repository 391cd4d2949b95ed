package io.xfuser.parallel.socket;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLSocket;

/**
 * A connection between two ranks.
 *
 * @param channel what one reads and writes
 * @param local this side's address
 * @param remote the other side's
 */
record Connection(SocketChannel channel, InetAddress local, InetAddress remote) {
  private static final int BUFFER = 64 << 10;
  private static final int HANDSHAKE_MILLIS = 10_000;

  static Connection of(SocketChannel channel) throws IOException {
    Socket socket = channel.socket();
    InetAddress remote = socket.getInetAddress();
    if (remote == null) {
      throw new IOException("not connected");
    }
    return new Connection(channel, socket.getLocalAddress(), remote);
  }

  /**
   * Connects; this side calls.
   *
   * @param millis how long that may take
   */
  static Connection to(InetSocketAddress address, int millis, Tls tls) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.socket().connect(address, millis);
      channel.socket().setTcpNoDelay(true);
      return of(channel).by(tls, true);
    } catch (IOException | RuntimeException e) {
      Listener.closeQuietly(channel);
      throw e;
    }
  }

  /**
   * The same by TLS, if that is on: what is written goes through a pair of connections within this
   * machine to two threads that encrypt and decrypt, so that whoever uses the connection need not
   * know. Costs two copies.
   *
   * @param calling whether this rank has called
   */
  Connection by(Tls tls, boolean calling) throws IOException {
    if (!tls.isOn()) {
      return this;
    }
    channel.socket().setSoTimeout(HANDSHAKE_MILLIS);
    SSLSocket secure = tls.over(this, calling);
    channel.socket().setSoTimeout(0);
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(OwnAddresses.loopback("localhost"), 0), 1);
      SocketChannel inner = SocketChannel.open(server.getLocalAddress());
      SocketChannel outer = server.accept();
      while (!outer.getRemoteAddress().equals(inner.getLocalAddress())) {
        Listener.closeQuietly(outer); // somebody else of this machine
        outer = server.accept();
      }
      inner.socket().setTcpNoDelay(true);
      outer.socket().setTcpNoDelay(true);
      pump(outer.socket().getInputStream(), secure.getOutputStream(), outer);
      pump(secure.getInputStream(), outer.socket().getOutputStream(), outer);
      return new Connection(inner, local, remote);
    }
  }

  /** Copies until either side ends, and then ends both. */
  private void pump(InputStream from, OutputStream to, SocketChannel outer) {
    Listener.daemon(
        "xfuser-tls",
        () -> {
          try {
            byte[] buffer = new byte[BUFFER];
            for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
              to.write(buffer, 0, n);
              to.flush();
            }
          } catch (IOException e) {
            // the other side learns of it by the end of its connection
          } finally {
            Listener.closeQuietly(channel);
            Listener.closeQuietly(outer);
          }
        });
  }
}
