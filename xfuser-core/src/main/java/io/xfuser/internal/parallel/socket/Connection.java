package io.xfuser.internal.parallel.socket;

import io.xfuser.internal.parallel.OwnAddresses;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.parallel.Tls;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A connection between two ranks, and the messages on it: a byte that says of which kind, and what
 * that kind has.
 *
 * @param channel what one reads and writes
 * @param local this side's address
 * @param remote the other side's
 */
public record Connection(SocketChannel channel, InetAddress local, InetAddress remote)
    implements AutoCloseable {
  private static final int CONNECT_MILLIS = 5_000;
  private static final int BUFFER = 64 << 10;

  /** What a message has beside its kind. */
  interface Body {
    void write(DataOutputStream out) throws IOException;
  }

  static Connection of(SocketChannel channel) throws IOException {
    Socket socket = channel.socket();
    InetAddress remote = socket.getInetAddress();
    if (remote == null) {
      throw new IOException("not connected");
    }
    socket.setTcpNoDelay(true);
    return new Connection(channel, socket.getLocalAddress(), remote);
  }

  /**
   * Calls and shakes hands; null if another rank than the header means listens there, or one of
   * another world.
   */
  static @Nullable Connection call(
      InetSocketAddress address, Handshake.Call call, SocketConfig.Master master)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    boolean met = false;
    try {
      channel.socket().connect(address, CONNECT_MILLIS);
      Connection connection = of(channel).by(master.tls(), true);
      met = Handshake.call(connection, call, master.secret());
      return met ? connection : null;
    } finally {
      if (!met) {
        closeQuietly(channel);
      }
    }
  }

  /** Sends a message whole. */
  void send(byte kind, Body body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(kind);
    body.write(out);
    channel.socket().getOutputStream().write(bytes.toByteArray());
  }

  /** Reads until {@code limit} from now is over. */
  DataInputStream in(Duration limit) throws IOException {
    return new DataInputStream(new TimedInput(channel, limit, () -> {}));
  }

  /** Reads however long it takes. */
  DataInputStream in() throws IOException {
    return new DataInputStream(channel.socket().getInputStream());
  }

  @Override
  public void close() {
    closeQuietly(channel);
  }

  static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // nothing can be done about it, and nothing depends on it
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
    channel.socket().setSoTimeout((int) Handshake.LIMIT.toMillis());
    SSLSocket secure = tls.over(channel.socket(), remote().getHostAddress(), calling);
    channel.socket().setSoTimeout(0);
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(OwnAddresses.loopback("localhost"), 0), 1);
      SocketChannel inner = SocketChannel.open(server.getLocalAddress());
      SocketChannel outer = server.accept();
      while (!outer.getRemoteAddress().equals(inner.getLocalAddress())) {
        closeQuietly(outer); // somebody else of this machine
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
    Daemon.start(
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
            closeQuietly(channel);
            closeQuietly(outer);
          }
        });
  }
}
