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
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rank 0's side: everybody comes here, and learns where the others are. */
final class RendezvousHost extends Rendezvous {
  private static final Logger LOG = LoggerFactory.getLogger(RendezvousHost.class);
  private static final int BIND_ATTEMPTS = 20;

  /** How long those who have not come yet are waited for once it is clear that ranks differ. */
  private static final Duration LATECOMERS = Duration.ofSeconds(5);

  private final String session = UUID.randomUUID().toString();
  private final Hello own;
  private final Map<Integer, Hello> present = new TreeMap<>(); // this rank too
  private final Map<Integer, Connection> guests = new TreeMap<>();
  private final Set<Integer> ready = new TreeSet<>(Set.of(0));
  private @Nullable Deadline latecomers; // set when it is clear that ranks differ
  private volatile String rejection = ""; // of who was not let in first

  /**
   * Listens at the address given.
   *
   * @param fingerprint what must be equal on all ranks
   */
  RendezvousHost(SocketConfig config, Fingerprint fingerprint, Listener listener, Mesh mesh)
      throws IOException {
    super(config, listener, mesh);
    bind(config.master());
    this.own = new Hello(config.size(), listener.seat(), fingerprint);
    present.put(0, own);
    answer(this::rejected, Handshake.job(config.master()), Handshake.session(session));
  }

  private void bind(SocketConfig.Master master) throws IOException {
    InetAddress address =
        config.size() == 1 // nobody is to come
            ? OwnAddresses.loopback("localhost")
            : master.local()
                ? OwnAddresses.loopback(master.address())
                : OwnAddresses.named(master.address());
    IOException last = new IOException("no port to try");
    // a connection that leaves the machine may hold the port for a moment
    for (int attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      for (int port = master.port(); port < master.port() + master.ports(); port++) {
        try {
          listener.bind(address, port);
          return;
        } catch (IOException e) {
          last = e;
        }
      }
      Deadline.pause(100);
    }
    throw new CommunicationException(
        "rank 0 cannot listen on port %d of %s: %s (another run may meet there)"
            .formatted(master.port(), master.address(), last.getMessage()),
        last);
  }

  /** Seats one that joins, or tells it why not, and hears from it; on a thread of its own. */
  @Override
  void accept(Connection connection, Handshake.Call call) throws IOException {
    if (call.purpose() != Handshake.JOIN) {
      super.accept(connection, call);
      return;
    }
    int rank = call.from();
    String refusal = seat(rank, Hello.read(connection.in(Handshake.LIMIT)), connection);
    if (refusal != null) {
      rejected(refusal);
      connection.send(Hello.REJECTED, out -> out.writeUTF(refusal));
      connection.close();
      return;
    }
    try (DataInputStream in = connection.in()) {
      while (in.readByte() == Hello.READY) {
        note(() -> ready.add(rank));
      }
    } catch (IOException e) {
      LOG.debug("rank {} has closed its connection", rank, e);
    }
    end(new CommunicationException("rank " + rank + " died during the rendezvous"));
  }

  private synchronized @Nullable String seat(int rank, Hello hello, Connection connection) {
    if (hello.size() != config.size()) {
      return "rank %d expects %d ranks, but rank 0 expects %d"
          .formatted(rank, hello.size(), config.size());
    }
    if (rank < 0 || rank >= config.size() || present.containsKey(rank)) {
      return "there are two processes with rank " + rank;
    }
    if (!note(() -> present.put(rank, hello.seenAt(connection.remote())))) {
      return reason(); // it came too late to be told with the others
    }
    guests.put(rank, connection);
    return null;
  }

  /** Remembers who was not let in, in case that nobody else comes. */
  private void rejected(String sentence) {
    if (rejection.isEmpty()) {
      rejection = " (rejected: " + sentence + ")";
      LOG.warn("rank 0 has not let in: {}", sentence); // and waits on, for one that fits
    }
  }

  @Override
  Roster roster() {
    await(() -> present.size() == config.size() || areClearlyDifferent(), present.keySet(), "join");
    synchronized (this) {
      List<Hello> all = // one that is late is taken to be like rank 0
          IntStream.range(0, config.size()).mapToObj(r -> present.getOrDefault(r, own)).toList();
      Fingerprint.differences(all.stream().map(Hello::fingerprint).toList())
          .ifPresent(sentence -> end(new MismatchException(sentence)));
      check();
      Roster roster = new Roster(session, all.stream().map(Hello::seat).toList());
      tellAll(Hello.ROSTER, roster::write);
      return roster;
    }
  }

  private boolean areClearlyDifferent() {
    if (latecomers == null
        && present.values().stream().map(Hello::fingerprint).distinct().count() > 1) {
      latecomers = Deadline.after(LATECOMERS);
    }
    return latecomers != null && latecomers.isOver();
  }

  @Override
  void ready() {
    await(() -> ready.size() == config.size(), ready, "connect to all others");
    tellAll(Hello.READY, nothing -> {});
  }

  private void await(BooleanSupplier met, Set<Integer> there, String what) {
    await(
        met,
        config.limits().rendezvous(),
        () ->
            "rank %s of %d did not %s within %d s%s"
                .formatted(
                    IntStream.range(0, config.size())
                        .filter(rank -> !there.contains(rank))
                        .mapToObj(String::valueOf)
                        .collect(Collectors.joining(", ")),
                    config.size(),
                    what,
                    config.limits().rendezvous().toSeconds(),
                    rejection));
  }

  /** Tells the others why. */
  @Override
  synchronized void end(RuntimeException reason) {
    String sentence = String.valueOf(reason.getMessage());
    byte kind = reason instanceof MismatchException ? Hello.MISMATCH : Hello.REJECTED;
    note(() -> tellAll(kind, out -> out.writeUTF(sentence)));
    super.end(reason);
  }

  private synchronized void tellAll(byte kind, Connection.Body body) {
    for (Connection guest : guests.values()) {
      try {
        guest.send(kind, body);
      } catch (IOException e) {
        LOG.debug("a rank has left the rendezvous", e); // which who hears from it notices
      }
    }
  }

  @Override
  public void close() {
    super.close();
    guests.values().forEach(Connection::close);
  }
}
