package io.xfuser.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.parallel.Fingerprint;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The side of every rank but 0: finds rank 0, however late it starts, and hears from it. */
final class RendezvousGuest implements Rendezvous {
  private static final Logger LOG = LoggerFactory.getLogger(RendezvousGuest.class);
  private static final int CONNECT_MILLIS = 5_000;

  /** How long a run that ends may hold the port where this one is to meet. */
  private static final Duration OTHERS = Duration.ofSeconds(5);

  /** What does not become better by waiting longer: no route, or IPv4 on a machine of IPv6. */
  private static final Pattern UNREACHABLE =
      Pattern.compile("Network is unreachable|family|address type");

  /** After so long a rank that still looks for rank 0 says so. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final SocketConfig config;
  private final Fingerprint fingerprint;
  private final Listener own;
  private final Connection connection;
  private final DataOutputStream out;
  private final CompletableFuture<Roster> roster = new CompletableFuture<>();
  private final CompletableFuture<Boolean> allReady = new CompletableFuture<>();

  /**
   * Joins.
   *
   * @param fingerprint what must be equal on all ranks
   * @param own where the others will find this rank
   */
  RendezvousGuest(SocketConfig config, Fingerprint fingerprint, Listener own) {
    this.config = config;
    this.fingerprint = fingerprint;
    this.own = own;
    this.connection = connect();
    try {
      this.out = new DataOutputStream(connection.channel().socket().getOutputStream());
    } catch (IOException e) {
      Listener.closeQuietly(connection.channel());
      throw new CommunicationException("rank 0 died during the rendezvous", e);
    }
    Listener.daemon("xfuser-rank" + config.rank() + "-rendezvous", this::listen);
  }

  @Override
  public Roster roster() {
    return await(roster);
  }

  @Override
  public void ready() {
    try {
      out.writeByte(Hello.READY);
    } catch (IOException e) {
      check(); // rank 0 may have said why
      throw new CommunicationException("rank 0 died during the rendezvous", e);
    }
    await(allReady);
  }

  @Override
  public void check() {
    if (allReady.isCompletedExceptionally()) {
      await(allReady);
    }
  }

  @Override
  public void close() {
    Listener.closeQuietly(connection.channel());
  }

  private Connection connect() {
    SocketConfig.Master master = config.master();
    Search search = new Search();
    for (long wait = 20; search.goesOn(); wait = Math.min(2 * wait, 1000)) {
      for (int port = master.port(); port < master.port() + master.ports(); port++) {
        try {
          for (InetAddress address : addresses()) {
            try {
              Connection found = tryAt(new InetSocketAddress(address, port));
              if (found != null) {
                return found;
              }
              search.metOthers();
            } catch (SSLException e) {
              search.failed(e);
            } catch (IOException e) {
              search.found(e);
            }
          }
        } catch (IOException e) {
          search.why = ": unknown host " + e.getMessage(); // its name may yet be published
        }
      }
      Listener.pause(wait);
    }
    throw search.failure();
  }

  private List<InetAddress> addresses() throws IOException {
    String name = config.master().address();
    return config.master().local()
        ? OwnAddresses.loopbacks(name)
        : List.of(InetAddress.getAllByName(name));
  }

  /** How long rank 0 has been looked for, and what was found instead. */
  private final class Search {
    private final long start = System.nanoTime();
    private long others;
    private boolean told;
    private boolean telling;
    private boolean unreachable;
    private String why = "";

    boolean goesOn() {
      long now = System.nanoTime();
      if (!told && now - start > PATIENCE.toNanos()) {
        told = true;
        LOG.warn("rank {} still looks for rank 0 at {}{}", config.rank(), place(), why);
      }
      boolean hopeless = // another port may be the right one if there are several
          others != 0 && config.master().ports() == 1 && now - others > OTHERS.toNanos();
      hopeless |= unreachable && now - start > PATIENCE.toNanos();
      return !hopeless && now - start < config.limits().rendezvous().toNanos();
    }

    /** That nobody listens at one address says less than what happened at another. */
    void found(IOException e) {
      if (!(e instanceof ConnectException) || !telling) {
        why = ": " + e.getMessage();
        telling = !(e instanceof ConnectException);
        unreachable = UNREACHABLE.matcher(why).find();
      }
    }

    void metOthers() {
      others = others == 0 ? System.nanoTime() : others;
    }

    /** The agent of a launcher may have no TLS, but where rank 0 alone can be, that is final. */
    void failed(SSLException e) {
      why = ": " + e.getMessage();
      if (config.master().ports() == 1) {
        throw new CommunicationException(
            "rank %d has no TLS that fits who listens at %s%s"
                .formatted(config.rank(), place(), why),
            e);
      }
    }

    private String place() {
      return config.master().address() + ":" + config.master().port();
    }

    CommunicationException failure() {
      if (others != 0) {
        return new CommunicationException(
            "rank %d met another run at %s: each needs a port of its own (MASTER_PORT, xfrun's --master_port)"
                .formatted(config.rank(), place()));
      }
      return new CommunicationException(
          "rank %d found no rank 0 at %s within %d s%s"
              .formatted(
                  config.rank(),
                  place(),
                  unreachable ? PATIENCE.toSeconds() : config.limits().rendezvous().toSeconds(),
                  why));
    }
  }

  /** The connection to rank 0, or null if another world meets there. */
  private @Nullable Connection tryAt(InetSocketAddress address) throws IOException {
    SocketConfig.Master master = config.master();
    Connection candidate = Connection.to(address, CONNECT_MILLIS, master.tls());
    boolean keep = false;
    try {
      Handshake.Header header =
          new Handshake.Header(Handshake.JOIN, "job " + master.job(), 0, config.rank());
      if (!Handshake.call(candidate, header, master.secret())) {
        return null;
      }
      new Hello(config.rank(), config.size(), seat(candidate), fingerprint)
          .write(new DataOutputStream(candidate.channel().socket().getOutputStream()));
      DataInputStream in =
          new DataInputStream(new TimedInput(candidate.channel(), Mesh.GREETING, () -> {}));
      byte answer = in.readByte();
      if (answer != Hello.SEATED) {
        throw refusal(answer, in);
      }
      keep = true;
      return candidate;
    } finally {
      if (!keep) {
        Listener.closeQuietly(candidate.channel());
      }
    }
  }

  /**
   * Where the others find this rank: at the address from which it reaches rank 0; at all it has if
   * that is the loopback's, but rank 0 is known to others by another.
   */
  private Roster.Seat seat(Connection toRankZero) throws IOException {
    if (!own.isBound()) {
      InetAddress here = toRankZero.local();
      own.bind(here.isLoopbackAddress() && !config.master().local() ? null : here, 0);
    }
    return own.seat();
  }

  private static RuntimeException refusal(byte answer, DataInputStream in) throws IOException {
    return switch (answer) {
      case Hello.REJECTED -> new CommunicationException(in.readUTF());
      case Hello.MISMATCH -> new MismatchException(in.readUTF());
      default -> throw new IOException("rank 0 says nothing sensible");
    };
  }

  private void listen() {
    try {
      DataInputStream in = new DataInputStream(connection.channel().socket().getInputStream());
      while (true) {
        byte news = in.readByte();
        switch (news) {
          case Hello.ROSTER -> {
            Roster read = Roster.read(in, config.size());
            String seen = OwnAddresses.text(connection.remote());
            roster.complete(read.with(0, read.seats().get(0).seenAt(seen)));
          }
          case Hello.READY -> {
            allReady.complete(true);
            return;
          }
          default -> {
            end(refusal(news, in));
            return;
          }
        }
      }
    } catch (IOException e) {
      end(new CommunicationException("rank 0 died during the rendezvous"));
    }
  }

  private void end(RuntimeException cause) {
    roster.completeExceptionally(cause);
    allReady.completeExceptionally(cause);
  }

  private <T> T await(CompletableFuture<T> future) {
    // rank 0 tells who is missing when the limit is over; the margin lets its word arrive
    long millis = config.limits().rendezvous().toMillis() + Listener.GREETING_MILLIS;
    try {
      return future.get(millis, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw cause instanceof MismatchException mismatch
          ? mismatch
          : new CommunicationException(String.valueOf(cause.getMessage()), e);
    } catch (TimeoutException e) {
      throw new CommunicationException("rank 0 is silent during the rendezvous", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException("interrupted during the rendezvous", e);
    }
  }
}
