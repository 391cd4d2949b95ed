package io.xfuser.internal.parallel.socket;

import io.xfuser.internal.parallel.Fingerprint;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.net.InetAddress;

/**
 * What a rank says to rank 0 when it joins, and the kinds of messages between the two.
 *
 * @param size how many it expects
 * @param seat where it listens
 * @param fingerprint what must be equal on all ranks
 */
record Hello(int size, Roster.Seat seat, Fingerprint fingerprint) {
  /** From a rank: this record. */
  static final byte JOINS = 1;

  /** From rank 0: a sentence that says why the ranks cannot meet. */
  static final byte REJECTED = 2;

  /** From rank 0: a sentence that says what differs between the ranks. */
  static final byte MISMATCH = 3;

  /** From rank 0: all have joined, and this is the {@link Roster}. */
  static final byte ROSTER = 4;

  /** From a rank: connected to all others. From rank 0: all are. */
  static final byte READY = 5;

  private static final int MAX_FINGERPRINT = 1 << 20;

  /** With {@code address} as the first at which it is tried. */
  Hello seenAt(InetAddress address) {
    return new Hello(size, seat.seenAt(address), fingerprint);
  }

  void write(DataOutput out) throws IOException {
    out.writeInt(size);
    seat.write(out);
    byte[] encoded = fingerprint.encode();
    out.writeInt(encoded.length);
    out.write(encoded);
  }

  static Hello read(DataInput in) throws IOException {
    if (in.readByte() != JOINS) {
      throw new IOException("not a rank that joins");
    }
    int size = in.readInt();
    Roster.Seat seat = Roster.Seat.read(in);
    int length = in.readInt();
    if (length < 0 || length > MAX_FINGERPRINT) {
      throw new IOException("a fingerprint of " + length + " bytes");
    }
    byte[] encoded = new byte[length];
    in.readFully(encoded);
    try {
      return new Hello(size, seat, Fingerprint.decode(encoded));
    } catch (IllegalArgumentException e) {
      throw new IOException(e);
    }
  }
}
