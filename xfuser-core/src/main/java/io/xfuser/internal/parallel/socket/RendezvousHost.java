package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.OwnAddresses;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rank 0's side: everybody comes here, and learns where the others are. */
final class RendezvousHost implements Rendezvous {
  private static final Logger LOG = LoggerFactory.getLogger(RendezvousHost.class);
  private static final int BIND_ATTEMPTS = 20;

  /** How long those who have not come yet are waited for once it is clear that ranks differ. */
  private static final Duration LATECOMERS = Duration.ofSeconds(5);

  private final SocketConfig config;
  private final Fingerprint fingerprint;
  private final Listener listener;
  private final Roster.Seat own;
  private final Map<Integer, Guest> guests = new ConcurrentSkipListMap<>();
  private final Set<Integer> ready = new HashSet<>();
  private final AtomicReference<String> rejection = new AtomicReference<>(""); // the first
  private @Nullable Deadline latecomers; // set when it is clear that ranks differ
  private boolean over; // the last word was said

  private record Guest(Connection connection, Roster.Seat seat, Fingerprint fingerprint) {}

  /**
   * Listens at the address given.
   *
   * @param fingerprint what must be equal on all ranks
   * @param own where the others will find rank 0 afterwards
   */
  RendezvousHost(SocketConfig config, Fingerprint fingerprint, Listener own) throws IOException {
    this.config = config;
    this.fingerprint = fingerprint;
    this.listener = new Listener("xfuser-rendezvous");
    try {
      bind();
      own.bind(listener.address(), 0); // after that, or it might take the very port
      this.own = own.seat();
    } catch (IOException | RuntimeException e) {
      listener.close();
      throw e;
    }
    SocketConfig.Master master = config.master();
    listener.start(
        new Handshake.Listening(
            "job " + master.job(), 0, master.secret(), master.tls(), this::rejected),
        this::greet);
  }

  private void bind() throws IOException {
    SocketConfig.Master master = config.master();
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

  /** Seats one that joins, or tells it why not; on a thread of its own. */
  private void greet(Connection connection, Handshake.Call call) throws IOException {
    Hello hello = Hello.read(connection.in(Handshake.LIMIT));
    String refusal = seat(hello, connection);
    if (refusal != null) {
      rejected(refusal);
      connection.send(Hello.REJECTED, out -> out.writeUTF(refusal));
      connection.close();
    }
  }

  private synchronized @Nullable String seat(Hello hello, Connection connection)
      throws IOException {
    int rank = hello.rank();
    if (over) {
      throw new IOException("nobody is waited for any more");
    }
    if (hello.size() != config.size()) {
      return "rank %d expects %d ranks, but rank 0 expects %d"
          .formatted(rank, hello.size(), config.size());
    }
    if (rank <= 0 || rank >= config.size() || guests.containsKey(rank)) {
      return "there are two processes with rank " + rank;
    }
    connection.send(Hello.SEATED, nothing -> {});
    Roster.Seat seat = hello.seat().seenAt(connection.remote());
    guests.put(rank, new Guest(connection, seat, hello.fingerprint()));
    return null;
  }

  /** Remembers who was not let in first, in case that nobody else comes. */
  private void rejected(String sentence) {
    if (rejection.compareAndSet("", " (rejected: " + sentence + ")")) {
      LOG.warn("rank 0 has not let in: {}", sentence); // and waits on, for one that fits
    }
  }

  @Override
  public Roster roster() {
    await(
        () -> guests.size() == config.size() - 1 || areClearlyDifferent(), guests.keySet(), "join");
    List<Roster.Seat> seats = new ArrayList<>(List.of(own));
    List<Fingerprint> fingerprints = new ArrayList<>(List.of(fingerprint));
    for (int rank = 1; rank < config.size(); rank++) {
      Guest guest = guests.get(rank); // one that is late is taken to be like rank 0
      fingerprints.add(guest == null ? fingerprint : guest.fingerprint());
      seats.add(guest == null ? own : guest.seat());
    }
    String differences = Fingerprint.differences(fingerprints).orElse(null);
    if (differences != null) {
      end(Hello.MISMATCH, out -> out.writeUTF(differences));
      throw new MismatchException(differences);
    }
    Roster roster = new Roster(UUID.randomUUID().toString(), seats);
    tellAll(Hello.ROSTER, roster::write);
    return roster;
  }

  private boolean areClearlyDifferent() {
    if (latecomers == null
        && guests.values().stream().anyMatch(guest -> !guest.fingerprint().equals(fingerprint))) {
      latecomers = Deadline.after(LATECOMERS);
    }
    return latecomers != null && latecomers.isOver();
  }

  @Override
  public void ready() {
    await(() -> ready.size() == config.size() - 1, ready, "connect to all others");
    end(Hello.READY, nothing -> {});
  }

  /** Hears from all guests: that they are ready, or gone. */
  @Override
  public void check() {
    guests.forEach(
        (rank, guest) -> {
          try {
            if (guest.connection().poll() == Hello.READY) {
              ready.add(rank);
            }
          } catch (IOException e) {
            throw end("rank " + rank + " died during the rendezvous");
          }
        });
  }

  @Override
  public void close() {
    end("rank 0 left the rendezvous");
    listener.close();
    guests.values().forEach(guest -> guest.connection().close());
  }

  private void await(BooleanSupplier condition, Set<Integer> there, String what) {
    Deadline deadline = Deadline.after(config.limits().rendezvous());
    while (!condition.getAsBoolean()) {
      check();
      if (deadline.isOver()) {
        String missing =
            IntStream.range(1, config.size())
                .filter(rank -> !there.contains(rank))
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(", "));
        throw end(
            "rank %s of %d did not %s within %d s%s"
                .formatted(
                    missing,
                    config.size(),
                    what,
                    config.limits().rendezvous().toSeconds(),
                    rejection.get()));
      }
      Deadline.pause(5);
    }
  }

  private CommunicationException end(String sentence) {
    end(Hello.REJECTED, out -> out.writeUTF(sentence));
    return new CommunicationException(sentence);
  }

  /** Says the last word, unless it was said. */
  private synchronized void end(byte kind, Connection.Body body) {
    if (!over) {
      over = true;
      tellAll(kind, body);
    }
  }

  private void tellAll(byte kind, Connection.Body body) {
    for (Guest guest : guests.values()) {
      try {
        guest.connection().send(kind, body);
      } catch (IOException e) {
        LOG.debug("a rank has left the rendezvous", e); // which check() notices
      }
    }
  }
}
