package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.RankException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/** What one rank knows of another; used by the thread of {@link Signals} alone. */
final class SignalPeer {
  private final int rank;
  private final SocketChannel channel;
  private final ByteBuffer in = ByteBuffer.allocate(4 * Signal.MAX_BYTES);
  private final Queue<ByteBuffer> out = new ArrayDeque<>();
  String activity = "starting";
  long lastHeard;

  /** When its tensors stopped coming without a farewell, or 0. */
  long brokenSince;

  String brokenBecause = "";
  boolean leaving;

  /** Whether it has everything this rank sent before its farewell. */
  boolean seen;

  boolean ended;

  SignalPeer(int rank, SocketChannel channel, long now) {
    this.rank = rank;
    this.channel = channel;
    this.lastHeard = now;
  }

  int rank() {
    return rank;
  }

  RankException lost(String sentence) {
    return new RankException(rank, activity, sentence);
  }

  SocketChannel channel() {
    return channel;
  }

  /** What has arrived since the last call; notices the end of the connection. */
  List<Signal> receive(long now) {
    List<Signal> signals = new ArrayList<>();
    try {
      int read = channel.read(in);
      while (read > 0) {
        lastHeard = now;
        in.flip();
        for (Signal next = Signal.decode(in); next != null; next = Signal.decode(in)) {
          signals.add(next);
        }
        in.compact();
        read = channel.read(in);
      }
      ended = read < 0;
    } catch (IOException | IndexOutOfBoundsException e) {
      ended = true;
    }
    return signals;
  }

  void send(Signal signal) {
    // one that does not read gets no more than one sign of life to read later
    if (!ended && (out.isEmpty() || signal.kind() != Signal.SignalKind.HEARTBEAT)) {
      out.add(signal.encode());
      flush();
    }
  }

  /** Writes what the connection takes now; says whether that was all. */
  boolean flush() {
    try {
      while (!out.isEmpty() && !ended) {
        channel.write(out.element());
        if (out.element().hasRemaining()) {
          return false;
        }
        out.remove();
      }
    } catch (IOException e) {
      out.clear(); // reading tells whether it died or left, and what it said before
    }
    return true;
  }
}
