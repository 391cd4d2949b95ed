package io.xfuser.parallel.socket;

import io.xfuser.parallel.CommunicationException;
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

/** Rank 0's side: everybody comes here, and learns where the others are. */
final class RendezvousHost implements Rendezvous {
  private static final int BIND_ATTEMPTS = 20;

  private final SocketConfig config;
  private final Roster.Seat own;
  private final Listener listener;
  private final Map<Integer, Guest> guests = new TreeMap<>();
  private final Set<Integer> ready = new HashSet<>();
  private final List<String> rejections = new ArrayList<>();
  private @Nullable String failure;
  private boolean over;

  /** Where the others will find {@code own}, rank 0's listener for them. */
  RendezvousHost(SocketConfig config, Listener own) throws IOException {
    this.config = config;
    this.listener = new Listener(config.master().local(), "xfuser-rendezvous");
    try {
      bind();
      this.own = own.seat(); // after that, or it might take the very port
    } catch (IOException | RuntimeException e) {
      listener.close();
      throw e;
    }
    listener.start(this::greet);
  }

  private void bind() {
    SocketConfig.Master master = config.master();
    IOException last = new IOException("no port to try");
    // a connection that leaves the machine may hold the port for a moment
    for (int attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      for (int port = master.port(); port < master.port() + master.ports(); port++) {
        try {
          listener.bind(port);
          return;
        } catch (IOException e) {
          last = e;
        }
      }
      Listener.pause(100);
    }
    throw new CommunicationException(
        "rank 0 cannot listen on port " + master.port() + ": " + last.getMessage(), last);
  }

  @Override
  public synchronized Roster roster() {
    await(() -> guests.size() == config.size() - 1, "join");
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

  @Override
  public synchronized void ready() {
    await(() -> ready.size() == config.size() - 1, "connect to all others");
    over = true;
    tellAll(out -> out.writeByte(Hello.READY));
  }

  @Override
  public synchronized void check() {
    if (failure != null) {
      throw new CommunicationException(failure);
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
        wait(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CommunicationException("interrupted during the rendezvous", e);
      }
    }
  }

  private void greet(SocketChannel channel) throws IOException {
    DataInputStream in = new DataInputStream(channel.socket().getInputStream());
    DataOutputStream out = new DataOutputStream(channel.socket().getOutputStream());
    int version = Hello.readVersion(in);
    if (version != Hello.VERSION) {
      reject(out, "a rank speaks protocol " + version + ", but rank 0 speaks " + Hello.VERSION);
      channel.close();
      return;
    }
    Hello hello = Hello.read(in);
    if (!hello.job().equals(config.master().job())) {
      out.writeByte(Hello.ANOTHER_WORLD);
      channel.close();
      return;
    }
    InetAddress from = channel.socket().getInetAddress();
    if (!seat(hello, new Guest(channel, out, hello.seat().seenAt(from.getHostAddress())))) {
      channel.close();
      return;
    }
    channel.socket().setSoTimeout(0);
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
    } else if (rank == 0 || guests.containsKey(rank)) {
      reject(guest.out(), "there are two processes with rank " + rank);
      return false;
    }
    guest.out().writeByte(Hello.SEATED);
    guests.put(rank, guest);
    notifyAll();
    return true;
  }

  private synchronized void reject(DataOutputStream out, String sentence) throws IOException {
    rejections.add(sentence);
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

  private synchronized void end(String sentence) {
    if (failure == null) {
      failure = sentence;
      over = true;
      tellAll(
          out -> {
            out.writeByte(Hello.REJECTED);
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

  private record Guest(SocketChannel channel, DataOutputStream out, Roster.Seat seat) {}

  private interface News {
    void write(DataOutputStream out) throws IOException;
  }
}
