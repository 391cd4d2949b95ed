package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.parallel.Secret;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class MeshTest {
  private static final String SESSION = "session";

  @Test
  void aConnectionMeantForAnotherRankIsRefused() throws Exception {
    try (Listener listener = new Listener("listener")) {
      listener.bind(InetAddress.getLoopbackAddress(), 0);
      Roster.Seat seat = listener.seat();
      SocketConfig config = TestRanks.config(0, 2, 1, TestRanks.QUICK);
      CompletableFuture<Mesh> mesh =
          CompletableFuture.supplyAsync(
              () -> {
                Roster roster = new Roster(SESSION, List.of(seat, seat));
                return Mesh.connect(config, new NoRendezvous(), listener, roster);
              });
      try (SocketChannel stranger = connect(seat);
          SocketChannel lost = connect(seat);
          SocketChannel signals = connect(seat);
          SocketChannel tensors = connect(seat)) {
        assertThat(calls(stranger, "another", Handshake.SIGNALS, 0)).isFalse();
        assertThat(calls(lost, SESSION, Handshake.SIGNALS, 1)).isFalse();
        assertThat(calls(signals, SESSION, Handshake.SIGNALS, 0)).isTrue();
        assertThat(calls(tensors, SESSION, Handshake.TENSORS, 0)).isTrue();
        mesh.join().close();
      }
    }
  }

  @Test
  void announcedAddressesNameNoInterfaceOfThisMachine() throws IOException {
    try (Listener listener = new Listener("listener")) {
      listener.bind(null, 0);
      assertThat(listener.seat().addresses()).noneMatch(address -> address.contains("%"));
    }
  }

  private static SocketChannel connect(Roster.Seat seat) throws IOException {
    return SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), seat.port()));
  }

  /** Whether rank 1, which calls whom it takes for {@code meant}, is answered. */
  private static boolean calls(SocketChannel channel, String session, byte purpose, int meant)
      throws IOException {
    Handshake.Call opening = new Handshake.Call(purpose, "session " + session, meant, 1);
    return Handshake.call(Connection.of(channel), opening, Secret.NONE);
  }

  /** All have met already. */
  private static final class NoRendezvous implements Rendezvous {
    @Override
    public Roster roster() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void ready() {}

    @Override
    public void check() {}

    @Override
    public void close() {}
  }
}
