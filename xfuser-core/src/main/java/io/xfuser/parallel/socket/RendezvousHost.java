package io.xfuser.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.parallel.Fingerprint;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
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

  private static final int REJECTIONS_KEPT = 3;

  private final SocketConfig config;
  private final Fingerprint fingerprint;
  private final Roster.Seat own;
  private final Listener listener;
  private final Map<Integer, Guest> guests = new TreeMap<>();
  private final Set<Integer> ready = new HashSet<>();
  private final List<String> rejections = new ArrayList<>();
  private @Nullable RuntimeException failure;
  private long differentSince;
  private boolean over;

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
    String name = master.address();
    InetAddress address =
        config.size() == 1 // nobody is to come
            ? OwnAddresses.loopback("localhost")
            : master.local() ? OwnAddresses.loopback(name) : OwnAddresses.named(name);
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
      Listener.pause(100);
    }
    throw new CommunicationException(
        "rank 0 cannot listen on port %d of %s: %s (another run may meet there)"
            .formatted(master.port(), master.address(), last.getMessage()),
        last);
  }

  @Override
  public synchronized Roster roster() {
    await(() -> guests.size() == config.size() - 1 || isClearlyDifferent(), "join");
    List<Fingerprint> fingerprints = new ArrayList<>(List.of(fingerprint));
    for (int rank = 1; rank < config.size(); rank++) {
      Guest guest = guests.get(rank);
      fingerprints.add(guest == null ? fingerprint : guest.fingerprint());
    }
    Fingerprint.differences(fingerprints)
        .ifPresent(sentence -> end(Hello.MISMATCH, sentence, new MismatchException(sentence)));
    check();
    List<Roster.Seat> seats = new ArrayList<>(List.of(own));
    guests.values().forEach(guest -> seats.add(guest.seat()));
    Roster roster = new Roster(UUID.randomUUID().toString(), seats);
    tellAll(
        out -> {
          out.writeByte(Hello.ROSTER);
          roster.write(out);
        });
    return roster;
  }

  private boolean isClearlyDifferent() {
    return differentSince != 0 && System.nanoTime() - differentSince > LATECOMERS.toNanos();
  }

  @Override
  public synchronized void ready() {
    await(() -> ready.size() == config.size() - 1, "connect to all others");
    over = true;
    tellAll(out -> out.writeByte(Hello.READY));
  }

  @Override
  public synchronized void check() {
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public synchronized void close() {
    if (!over) {
      end("rank 0 left the rendezvous");
    }
    listener.close();
    guests.values().forEach(guest -> Listener.closeQuietly(guest.channel()));
  }

  private synchronized void await(BooleanSupplier condition, String what) {
    Duration limit = config.limits().rendezvous();
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      check();
      long millis = (deadline - System.nanoTime()) / 1_000_000;
      if (millis <= 0) {
        Set<Integer> there = what.equals("join") ? guests.keySet() : ready;
        String missing =
            IntStream.range(1, config.size())
                .filter(rank -> !there.contains(rank))
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(", "));
        end(
            String.format(
                "rank %s of %d did not %s within %d s%s",
                missing,
                config.size(),
                what,
                limit.toSeconds(),
                rejections.isEmpty() ? "" : " (rejected: " + rejections.get(0) + ")"));
        check();
      }
      try {
        wait(Math.min(millis, 1000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted during the rendezvous", e);
      }
    }
  }

  private void greet(Connection connection, Handshake.Header header) throws IOException {
    SocketChannel channel = connection.channel();
    DataInputStream in = new DataInputStream(channel.socket().getInputStream());
    DataOutputStream out = new DataOutputStream(channel.socket().getOutputStream());
    Hello hello =
        Hello.read(new DataInputStream(new TimedInput(channel, Mesh.GREETING, this::check)));
    Roster.Seat seat = hello.seat().seenAt(OwnAddresses.text(connection.remote()));
    if (!seat(hello, new Guest(channel, out, seat, hello.fingerprint()))) {
      channel.close();
      return;
    }
    attend(hello.rank(), in);
  }

  private synchronized boolean seat(Hello hello, Guest guest) throws IOException {
    int rank = hello.rank();
    if (hello.size() != config.size()) {
      reject(
          guest.out(),
          String.format(
              "rank %d expects %d ranks, but rank 0 expects %d",
              rank, hello.size(), config.size()));
      return false;
    } else if (rank <= 0 || rank >= config.size() || guests.containsKey(rank)) {
      reject(guest.out(), "there are two processes with rank " + rank);
      return false;
    }
    guest.out().writeByte(Hello.SEATED);
    guests.put(rank, guest);
    if (differentSince == 0 && !guest.fingerprint().equals(fingerprint)) {
      differentSince = System.nanoTime();
    }
    notifyAll();
    return true;
  }

  /** Remembers who was not let in, in case that nobody else comes. */
  private synchronized void rejected(String sentence) {
    if (rejections.size() < REJECTIONS_KEPT) {
      rejections.add(sentence);
      LOG.warn("rank 0 has not let in: {}", sentence); // and waits on, for one that fits
    }
  }

  private void reject(DataOutputStream out, String sentence) throws IOException {
    rejected(sentence);
    out.writeByte(Hello.REJECTED);
    out.writeUTF(sentence);
  }

  /** Notices that a guest is ready, or dies before all are. */
  private void attend(int rank, DataInputStream in) {
    try {
      while (in.readByte() == Hello.READY) {
        synchronized (this) {
          ready.add(rank);
          notifyAll();
        }
      }
    } catch (IOException e) {
      synchronized (this) {
        if (!over) {
          end("rank " + rank + " died during the rendezvous");
        }
      }
    }
  }

  private void end(String sentence) {
    end(Hello.REJECTED, sentence, new CommunicationException(sentence));
  }

  private synchronized void end(byte answer, String sentence, RuntimeException cause) {
    if (failure == null) {
      failure = cause;
      over = true;
      tellAll(
          out -> {
            out.writeByte(answer);
            out.writeUTF(sentence);
          });
      notifyAll();
    }
  }

  private synchronized void tellAll(News news) {
    for (Guest guest : guests.values()) {
      try {
        news.write(guest.out());
      } catch (IOException e) {
        Listener.closeQuietly(guest.channel()); // attend() notices
      }
    }
  }

  private record Guest(
      SocketChannel channel, DataOutputStream out, Roster.Seat seat, Fingerprint fingerprint) {}

  private interface News {
    void write(DataOutputStream out) throws IOException;
  }
}
