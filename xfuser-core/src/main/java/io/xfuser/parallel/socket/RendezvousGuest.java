package io.xfuser.parallel.socket;

import io.xfuser.parallel.CommunicationException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The side of every rank but 0: finds rank 0, however late it starts, and hears from it. */
final class RendezvousGuest implements Rendezvous {
  private static final int CONNECT_MILLIS = 5_000;

  private final SocketConfig config;
  private final Listener own;
  private final SocketChannel channel;
  private final DataOutputStream out;
  private final CompletableFuture<Roster> roster = new CompletableFuture<>();
  private final CompletableFuture<Boolean> allReady = new CompletableFuture<>();
  private volatile String failure = "";

  /** Joins; the others will find {@code own}, this rank's listener for them. */
  RendezvousGuest(SocketConfig config, Listener own) {
    this.config = config;
    this.own = own;
    this.channel = connect();
    try {
      channel.socket().setSoTimeout(0);
      this.out = new DataOutputStream(channel.socket().getOutputStream());
    } catch (IOException e) {
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
    Listener.closeQuietly(channel);
  }

  private SocketChannel connect() {
    SocketConfig.Master master = config.master();
    long deadline = System.nanoTime() + config.limits().rendezvous().toNanos();
    String why = "";
    for (long wait = 20; System.nanoTime() < deadline; wait = Math.min(2 * wait, 1000)) {
      for (int port = master.port(); port < master.port() + master.ports(); port++) {
        try {
          for (InetAddress address : InetAddress.getAllByName(master.address())) {
            try {
              SocketChannel found = tryAt(new InetSocketAddress(address, port));
              if (found != null) {
                return found;
              }
            } catch (IOException e) {
              why = ": " + e.getMessage();
            }
          }
        } catch (IOException e) {
          why = ": unknown host " + e.getMessage(); // its name may yet be published
        }
      }
      Listener.pause(wait);
    }
    throw new CommunicationException(
        String.format(
            "rank %d found no rank 0 at %s:%d within %d s%s",
            config.rank(),
            master.address(),
            master.port(),
            config.limits().rendezvous().toSeconds(),
            why));
  }

  /** The connection to rank 0, or null if another world meets there. */
  private @Nullable SocketChannel tryAt(InetSocketAddress address) throws IOException {
    SocketChannel candidate = SocketChannel.open();
    boolean keep = false;
    try {
      candidate.socket().connect(address, CONNECT_MILLIS);
      candidate.socket().setTcpNoDelay(true);
      candidate.socket().setSoTimeout(Listener.GREETING_MILLIS);
      new Hello(config.master().job(), config.rank(), config.size(), own.seat())
          .write(new DataOutputStream(candidate.socket().getOutputStream()));
      DataInputStream in = new DataInputStream(candidate.socket().getInputStream());
      switch (in.readByte()) {
        case Hello.SEATED -> keep = true;
        case Hello.REJECTED -> throw new CommunicationException(in.readUTF());
        default -> keep = false;
      }
      return keep ? candidate : null;
    } finally {
      if (!keep) {
        Listener.closeQuietly(candidate);
      }
    }
  }

  private void listen() {
    try {
      DataInputStream in = new DataInputStream(channel.socket().getInputStream());
      while (true) {
        switch (in.readByte()) {
          case Hello.ROSTER -> {
            Roster read = Roster.read(in);
            String seen = channel.socket().getInetAddress().getHostAddress();
            roster.complete(read.with(0, read.seats().get(0).seenAt(seen)));
          }
          case Hello.READY -> {
            allReady.complete(true);
            return;
          }
          case Hello.REJECTED -> {
            end(in.readUTF());
            return;
          }
          default -> throw new IOException("rank 0 says nothing sensible");
        }
      }
    } catch (IOException e) {
      end("rank 0 died during the rendezvous");
    }
  }

  private void end(String sentence) {
    failure = sentence;
    CommunicationException cause = new CommunicationException(sentence);
    roster.completeExceptionally(cause);
    allReady.completeExceptionally(cause);
  }

  private <T> T await(CompletableFuture<T> future) {
    // rank 0 tells who is missing when the limit is over; the margin lets its word arrive
    long millis = config.limits().rendezvous().toMillis() + Listener.GREETING_MILLIS;
    try {
      return future.get(millis, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new CommunicationException(failure, e);
    } catch (TimeoutException e) {
      throw new CommunicationException("rank 0 is silent during the rendezvous", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException("interrupted during the rendezvous", e);
    }
  }
}
