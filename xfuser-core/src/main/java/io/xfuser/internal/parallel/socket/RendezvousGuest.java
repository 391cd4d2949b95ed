package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.OwnAddresses;
import io.xfuser.parallel.SocketConfig;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The side of every rank but 0: comes to rank 0, and hears from it on a thread of its own. */
final class RendezvousGuest extends Rendezvous {
  private final Connection rankZero;
  private @Nullable Roster roster;
  private boolean allReady;

  /**
   * Joins.
   *
   * @param fingerprint what must be equal on all ranks
   */
  RendezvousGuest(SocketConfig config, Fingerprint fingerprint, Listener listener, Mesh mesh)
      throws IOException {
    super(config, listener, mesh);
    this.rankZero = findRankZero(config);
    try {
      // at the address from which it reaches rank 0; at all it has if that is the loopback's, but
      // rank 0 is known to others by another
      InetAddress here = rankZero.local();
      listener.bind(here.isLoopbackAddress() && !config.master().local() ? null : here, 0);
      Hello hello = new Hello(config.size(), listener.seat(), fingerprint);
      rankZero.send(Hello.JOINS, hello::write);
    } catch (IOException | RuntimeException e) {
      rankZero.close();
      throw e;
    }
    Daemon.start("xfuser-rank" + config.rank() + "-rendezvous", this::hear);
  }

  private static Connection findRankZero(SocketConfig config) throws IOException {
    SocketConfig.Master master = config.master();
    if (master.local()) {
      OwnAddresses.loopback(master.address()); // else nobody would ever be found
    }
    List<String> addresses =
        master.local()
            ? OwnAddresses.loopbacks(master.address()).stream().map(OwnAddresses::text).toList()
            : List.of(master.address());
    Handshake.Call call =
        new Handshake.Call(Handshake.JOIN, Handshake.job(master), 0, config.rank());
    return new Search(config, call, new Roster.Seat(addresses, master.port())).find(() -> {});
  }

  private void hear() {
    try {
      DataInputStream in = rankZero.in();
      while (true) {
        take(in.readByte(), in);
      }
    } catch (IOException e) { // it may have said why before
      end(new CommunicationException("rank 0 died during the rendezvous", e));
    }
  }

  private void take(byte kind, DataInputStream in) throws IOException {
    switch (kind) {
      case Hello.ROSTER -> {
        Roster read = Roster.read(in, config.size()).seenAt(0, rankZero.remote());
        note(() -> roster = read);
      }
      case Hello.READY -> note(() -> allReady = true);
      case Hello.REJECTED -> end(new CommunicationException(in.readUTF()));
      case Hello.MISMATCH -> end(new MismatchException(in.readUTF()));
      default -> throw new IOException("a message of kind " + kind);
    }
  }

  @Override
  Roster roster() {
    awaitRankZero(() -> roster != null);
    Roster met = Objects.requireNonNull(roster);
    answer(refused -> {}, Handshake.session(met.session()));
    return met;
  }

  @Override
  void ready() {
    try {
      rankZero.send(Hello.READY, nothing -> {});
    } catch (IOException e) {
      // it may have said why before it went
    }
    awaitRankZero(() -> allReady);
  }

  private void awaitRankZero(BooleanSupplier said) {
    // rank 0 tells who is missing when the limit is over; the margin lets its word arrive
    Duration limit = config.limits().rendezvous().plus(Handshake.LIMIT);
    await(said, limit, () -> "rank 0 is silent during the rendezvous");
  }

  @Override
  public void close() {
    super.close();
    rankZero.close();
  }
}
