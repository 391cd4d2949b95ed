package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.parallel.SocketConfig;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class RendezvousTest {
  @Test
  void aRankThatDiesBeforeAllHaveJoinedEndsTheWaitAtOnce() throws Exception {
    int port = TestRanks.freePort();
    try (Rendezvous host = host(port);
        Rendezvous guest = guest(1, port)) {
      long start = System.nanoTime();
      CompletableFuture<Roster> others = CompletableFuture.supplyAsync(guest::roster);
      guest(2, port).close();
      assertThatThrownBy(host::roster)
          .isInstanceOf(CommunicationException.class)
          .hasMessage("rank 2 died during the rendezvous");
      assertThatThrownBy(others::join).hasMessageContaining("rank 2 died during the rendezvous");
      assertThat(System.nanoTime() - start).isLessThan(5_000_000_000L);
    }
  }

  @Test
  void rankZerosDeathEndsTheWaitOfTheOthers() throws Exception {
    int port = TestRanks.freePort();
    Rendezvous host = host(port);
    try (Rendezvous guest = guest(1, port)) {
      host.close();
      assertThatThrownBy(guest::roster).hasMessage("rank 0 left the rendezvous");
    }
  }

  @Test
  void anotherProtocolIsRejected() throws Exception {
    int port = TestRanks.freePort();
    try (Rendezvous host = host(port);
        Socket old = new Socket("localhost", port)) {
      DataOutputStream out = new DataOutputStream(old.getOutputStream());
      out.writeLong(Handshake.MAGIC);
      out.writeInt(Handshake.VERSION - 1);
      DataInputStream in = new DataInputStream(old.getInputStream());
      assertThat(in.readByte()).isEqualTo(Hello.REJECTED);
      assertThat(in.readUTF()).isEqualTo("a rank speaks protocol 3, but rank 0 speaks 4");
      host.check(); // the others may still come
    }
  }

  private static Rendezvous host(int port) throws IOException {
    return new RendezvousHost(
        config(0, port), Fingerprint.EMPTY, new Listener("listener"), new Mesh());
  }

  private static Rendezvous guest(int rank, int port) throws IOException {
    return new RendezvousGuest(
        config(rank, port), Fingerprint.EMPTY, new Listener("listener"), new Mesh());
  }

  private static SocketConfig config(int rank, int port) {
    return TestRanks.config(rank, 4, port, TestRanks.QUICK);
  }
}
