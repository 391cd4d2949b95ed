package io.xfuser.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.parallel.TestRanks;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class MeshTest {
  private static final String SESSION = "session";

  @Test
  void aConnectionMeantForAnotherRankIsRefused() throws Exception {
    try (Listener listener = new Listener(true, "listener")) {
      Roster.Seat seat = listener.seat();
      SocketConfig config = TestRanks.config(0, 2, 1, TestRanks.QUICK);
      CompletableFuture<Mesh> mesh =
          CompletableFuture.supplyAsync(
              () -> {
                Roster roster = new Roster(SESSION, List.of(seat, seat));
                return Mesh.connect(config, new NoRendezvous(), listener, roster);
              });
      try (Socket lost = call(seat, 1, 2);
          Socket signals = call(seat, 0, 2);
          Socket tensors = call(seat, 0, 3)) {
        assertThat(lost.getInputStream().read()).isEqualTo(-1);
        assertThat(signals.getInputStream().read()).isEqualTo(1);
        assertThat(tensors.getInputStream().read()).isEqualTo(1);
        mesh.join().close();
      }
    }
  }

  @Test
  void announcedAddressesNameNoInterfaceOfThisMachine() throws IOException {
    try (Listener listener = new Listener(false, "listener")) {
      assertThat(listener.seat().addresses()).noneMatch(address -> address.contains("%"));
    }
  }

  /** Rank 1 calls, for one of the two purposes, whom it takes for {@code meant}. */
  private static Socket call(Roster.Seat seat, int meant, int purpose) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), seat.port());
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    out.writeLong(Hello.MAGIC);
    out.writeUTF(SESSION);
    out.writeInt(meant);
    out.writeInt(1);
    out.writeByte(purpose);
    return socket;
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
