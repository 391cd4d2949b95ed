package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.parallel.SocketConfig;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;

/** The side of every rank but 0: comes to rank 0, and hears from it. */
final class RendezvousGuest implements Rendezvous {
  private final SocketConfig config;
  private final Connection rankZero;

  /**
   * Joins.
   *
   * @param fingerprint what must be equal on all ranks
   * @param own where the others will find this rank; takes a port
   */
  RendezvousGuest(SocketConfig config, Fingerprint fingerprint, Listener own) throws IOException {
    this.config = config;
    this.rankZero = new RankZeroSearch(config).find();
    try {
      // at the address from which it reaches rank 0; at all it has if that is the loopback's, but
      // rank 0 is known to others by another
      InetAddress here = rankZero.local();
      own.bind(here.isLoopbackAddress() && !config.master().local() ? null : here, 0);
      Hello hello = new Hello(config.rank(), config.size(), own.seat(), fingerprint);
      rankZero.send(Hello.JOINS, hello::write);
      await(Hello.SEATED);
    } catch (IOException | RuntimeException e) {
      rankZero.close();
      throw e;
    }
  }

  @Override
  public Roster roster() {
    try {
      Roster roster = Roster.read(await(Hello.ROSTER), config.size());
      return roster.seenAt(0, rankZero.remote());
    } catch (IOException e) {
      throw lost(e);
    }
  }

  @Override
  public void ready() {
    try {
      rankZero.send(Hello.READY, nothing -> {});
    } catch (IOException e) {
      // it may have said why before it went
    }
    try {
      await(Hello.READY);
    } catch (IOException e) {
      throw lost(e);
    }
  }

  @Override
  public void check() {
    try {
      int news = rankZero.poll();
      if (news != Connection.NOTHING) {
        throw refusal(news, rankZero.in(Handshake.LIMIT));
      }
    } catch (IOException e) {
      throw lost(e);
    }
  }

  @Override
  public void close() {
    rankZero.close();
  }

  /** What is in rank 0's next message, which is to be of {@code kind}. */
  private DataInputStream await(byte kind) throws IOException {
    // rank 0 tells who is missing when the limit is over; the margin lets its word arrive
    DataInputStream in = rankZero.in(config.limits().rendezvous().plus(Handshake.LIMIT));
    byte news = in.readByte();
    if (news != kind) {
      throw refusal(news, in);
    }
    return in;
  }

  private static RuntimeException refusal(int news, DataInputStream in) throws IOException {
    return switch (news) {
      case Hello.REJECTED -> new CommunicationException(in.readUTF());
      case Hello.MISMATCH -> new MismatchException(in.readUTF());
      default -> new CommunicationException("rank 0 says nothing sensible during the rendezvous");
    };
  }

  private static CommunicationException lost(IOException e) {
    String sentence =
        e instanceof SocketTimeoutException
            ? "rank 0 is silent during the rendezvous"
            : e instanceof ClosedByInterruptException
                ? "interrupted during the rendezvous"
                : "rank 0 died during the rendezvous";
    return new CommunicationException(sentence, e);
  }
}
