package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.parallel.Secret;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class MeshTest {
  @Test
  void connectionsMeantForAnotherRankOrWorldAreRefused() throws Exception {
    int port = TestRanks.freePort();
    try (Listener listener = new Listener("listener");
        Rendezvous host =
            new RendezvousHost(config(0, port), Fingerprint.EMPTY, listener, new Mesh());
        Listener other = new Listener("other");
        Rendezvous guest =
            new RendezvousGuest(config(1, port), Fingerprint.EMPTY, other, new Mesh())) {
      CompletableFuture<Void> meeting = CompletableFuture.runAsync(host::connect);
      String session = Handshake.session(guest.roster().session());
      assertThat(calls(port, "session of another", Handshake.SIGNALS, 0)).isFalse();
      assertThat(calls(port, session, Handshake.SIGNALS, 1)).isFalse();
      assertThat(meeting).isNotDone();
      assertThat(calls(port, session, Handshake.SIGNALS, 0)).isTrue();
      assertThat(calls(port, session, Handshake.TENSORS, 0)).isTrue();
      meeting.join();
    }
  }

  @Test
  void announcedAddressesNameNoInterfaceOfThisMachine() throws IOException {
    try (Listener listener = new Listener("listener")) {
      listener.bind(null, 0);
      assertThat(listener.seat().addresses()).noneMatch(address -> address.contains("%"));
    }
  }

  /** Whether rank 1, which calls whom it takes for {@code meant}, is answered. */
  private static boolean calls(int port, String world, byte purpose, int meant) throws IOException {
    Handshake.Call call = new Handshake.Call(purpose, world, meant, 1);
    InetSocketAddress place = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try (SocketChannel channel = SocketChannel.open(place)) {
      return Handshake.call(Connection.of(channel), call, Secret.NONE);
    }
  }

  private static SocketConfig config(int rank, int port) {
    return TestRanks.config(rank, 2, port, TestRanks.QUICK);
  }
}
