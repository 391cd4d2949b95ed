package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.parallel.Secret;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.parallel.Tls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/** Who is let in, and what strangers can do. */
class HandshakeTest {
  private static final Secret SECRET = Secret.of("0123456789abcdef");
  private static final Secret OTHER = Secret.of("0123456789abcdeF");
  private static final Handshake.Call HEADER = new Handshake.Call(Handshake.TENSORS, "world", 0, 3);

  private final Queue<String> refused = new ConcurrentLinkedQueue<>();

  @Test
  void whoKnowsTheSecretIsLetInAndIsWhoItSaysItIs() throws Exception {
    try (Listener listener = listener(SECRET);
        SocketChannel channel = call(listener)) {
      assertThat(Handshake.call(Connection.of(channel), HEADER, SECRET)).isTrue();
      assertThat(channel.socket().getInputStream().read()).isEqualTo(Handshake.TENSORS);
      assertThat(channel.socket().getInputStream().read()).isEqualTo(3);
      assertThat(refused).isEmpty();
    }
  }

  @Test
  void whoDoesNotKnowItIsToldSoAndNamed() throws Exception {
    try (Listener listener = listener(SECRET);
        SocketChannel other = call(listener);
        SocketChannel none = call(listener)) {
      assertThatThrownBy(() -> Handshake.call(Connection.of(other), HEADER, OTHER))
          .isInstanceOf(CommunicationException.class)
          .hasMessage(
              "rank 3 at 127.0.0.1 has another secret than rank 0 (XFUSER_SECRET_FILE or"
                  + " XFUSER_SECRET)");
      assertThatThrownBy(() -> Handshake.call(Connection.of(none), HEADER, Secret.NONE))
          .hasMessageStartingWith("rank 3 at 127.0.0.1 has no secret, unlike rank 0");
      assertThat(refused).hasSize(2);
    }
  }

  @Test
  void whoListensMustKnowItToo() throws Exception {
    try (ServerSocketChannel impostor = ServerSocketChannel.open()) {
      impostor.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      CompletableFuture<Void> reflecting =
          CompletableFuture.runAsync(
              () -> {
                try (SocketChannel channel = impostor.accept()) {
                  Socket socket = channel.socket();
                  socket.getInputStream().readNBytes(85);
                  socket.getOutputStream().write(4); // a challenge
                  socket.getOutputStream().write(new byte[Secret.BYTES]);
                  byte[] proof = socket.getInputStream().readNBytes(Secret.BYTES);
                  socket.getOutputStream().write(5); // accepted, by what the other side has said
                  socket.getOutputStream().write(proof);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      try (SocketChannel channel = SocketChannel.open(impostor.getLocalAddress())) {
        assertThatThrownBy(() -> Handshake.call(Connection.of(channel), HEADER, SECRET))
            .isInstanceOf(CommunicationException.class)
            .hasMessageContaining("does not know the secret of rank 3");
      }
      reflecting.join();
    }
  }

  @Test
  void silentStrangersKeepNobodyOut() throws Exception {
    List<SocketChannel> silent = new ArrayList<>();
    try (Listener listener = listener(SECRET)) {
      for (int i = 0; i < Listener.MAX_STRANGERS + 5; i++) {
        silent.add(call(listener));
      }
      try (SocketChannel channel = call(listener)) {
        assertThat(Handshake.call(Connection.of(channel), HEADER, SECRET)).isTrue();
      }
      // those who came first had to go
      assertThat(silent.get(0).read(ByteBuffer.allocate(1))).isEqualTo(-1);
    } finally {
      silent.forEach(Connection::closeQuietly);
    }
  }

  @Test
  void aByteNowAndThenDoesNotPutOffTheEnd() throws Exception {
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      try (SocketChannel slow = SocketChannel.open(server.getLocalAddress());
          SocketChannel here = server.accept()) {
        Thread dripping =
            new Thread(
                () -> {
                  try {
                    while (true) {
                      slow.write(ByteBuffer.allocate(1));
                      Deadline.pause(20);
                    }
                  } catch (IOException e) {
                    // the end of the test
                  }
                });
        dripping.setDaemon(true);
        dripping.start();
        assertThatThrownBy(
                () -> new TimedInput(here, Duration.ofMillis(300), () -> {}).readNBytes(1_000_000))
            .isInstanceOf(SocketTimeoutException.class);
      }
    }
  }

  @Test
  void ranksMeetWhileNoiseComesInAtTheirPort() throws Exception {
    int port = TestRanks.freePort();
    CompletableFuture<Boolean> meeting = CompletableFuture.supplyAsync(() -> meet(port));
    Random random = new Random(5);
    for (int i = 0; i < 60; i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        byte[] noise = new byte[random.nextInt(200)];
        random.nextBytes(noise);
        if (i % 3 > 0 && noise.length > 12) { // like a rank at first
          ByteBuffer.wrap(noise)
              .putLong(Handshake.MAGIC)
              .putInt(i % 3 == 1 ? Handshake.VERSION : random.nextInt());
        }
        socket.getOutputStream().write(noise);
      } catch (IOException e) {
        Thread.sleep(10); // not there yet, or closed at once
      }
    }
    assertThat(meeting.get()).isTrue();
  }

  @Test
  void rankZeroListensAtTheAddressGivenAlone() throws Exception {
    Optional<InetAddress> own =
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .filter(address -> !address.isLoopbackAddress() && address.getAddress().length == 4)
            .filter(HandshakeTest::canBeListenedAt)
            .findFirst();
    if (own.isEmpty()) {
      return; // a machine without a network
    }
    int port = TestRanks.freePort();
    String address = own.get().getHostAddress();
    SocketConfig.Master master = new SocketConfig.Master(address, port, 1, "job", SECRET, Tls.NONE);
    try (Listener mine = new Listener("listener");
        Rendezvous host =
            new RendezvousHost(
                new SocketConfig(0, 2, 0, master, TestRanks.QUICK, true),
                Fingerprint.EMPTY,
                mine,
                new Mesh())) {
      assertThat(new Socket(own.get(), port).isConnected()).isTrue();
      assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port))
          .isInstanceOf(IOException.class);
      assertThat(mine.address()).isEqualTo(own.get());
      host.check();
    }
  }

  private static boolean canBeListenedAt(InetAddress address) {
    try (ServerSocket socket = new ServerSocket(0, 1, address)) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether three ranks with a secret meet at {@code port}, the last of them late. */
  private static boolean meet(int port) {
    SocketConfig.Master master =
        new SocketConfig.Master("localhost", port, 1, "job", SECRET, Tls.NONE);
    try {
      TestRanks.together(
          3,
          rank -> {
            Thread.sleep(rank == 2 ? 500 : 0);
            try (World world =
                SocketWorld.join(new SocketConfig(rank, 3, rank, master, TestRanks.QUICK, true))) {
              world.group(Channel.WORLD, List.of(0, 1, 2)).barrier();
            }
            return true;
          });
      return true;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Rank 0, which tells whom it lets in what it has understood. */
  private Listener listener(Secret secret) throws IOException {
    Listener listener = new Listener("listener");
    listener.bind(InetAddress.getLoopbackAddress(), 0);
    listener.start(
        new Handshake.Listening(List.of("world"), 0, secret, Tls.NONE, refused::add),
        (connection, opening) ->
            connection
                .channel()
                .socket()
                .getOutputStream()
                .write(new byte[] {opening.purpose(), (byte) opening.from()}));
    return listener;
  }

  private static SocketChannel call(Listener listener) throws IOException {
    return SocketChannel.open(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.seat().port()));
  }
}
