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
    try (Rendezvous host = new RendezvousHost(config(0, port), Fingerprint.EMPTY, listener());
        Rendezvous guest = new RendezvousGuest(config(1, port), Fingerprint.EMPTY, listener())) {
      long start = System.nanoTime();
      CompletableFuture<Roster> others = CompletableFuture.supplyAsync(guest::roster);
      new RendezvousGuest(config(2, port), Fingerprint.EMPTY, listener()).close();
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
    Rendezvous host = new RendezvousHost(config(0, port), Fingerprint.EMPTY, listener());
    try (Rendezvous guest = new RendezvousGuest(config(1, port), Fingerprint.EMPTY, listener())) {
      host.close();
      assertThatThrownBy(guest::roster).hasMessage("rank 0 left the rendezvous");
    }
  }

  @Test
  void anotherProtocolIsRejected() throws Exception {
    int port = TestRanks.freePort();
    try (Rendezvous host = new RendezvousHost(config(0, port), Fingerprint.EMPTY, listener());
        Socket old = new Socket("localhost", port)) {
      DataOutputStream out = new DataOutputStream(old.getOutputStream());
      out.writeLong(Handshake.MAGIC);
      out.writeInt(Handshake.VERSION - 1);
      DataInputStream in = new DataInputStream(old.getInputStream());
      assertThat(in.readByte()).isEqualTo(Hello.REJECTED);
      assertThat(in.readUTF()).isEqualTo("a rank speaks protocol 2, but rank 0 speaks 3");
      host.check(); // the others may still come
    }
  }

  private static Listener listener() throws IOException {
    return new Listener("listener");
  }

  private static SocketConfig config(int rank, int port) {
    return TestRanks.config(rank, 4, port, TestRanks.QUICK);
  }
}
