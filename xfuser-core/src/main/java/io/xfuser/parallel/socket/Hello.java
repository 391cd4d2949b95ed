package io.xfuser.parallel.socket;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** What a rank says to rank 0 when it joins, and the answers. */
record Hello(String job, int rank, int size, Roster.Seat seat) {
  /** Starts every connection: "xfuser" and two bytes that no text has. */
  static final long MAGIC = 0x78667573_6572F101L;

  /** Of the messages between ranks: all of them must speak the same. */
  static final int VERSION = 1;

  /** Answer: wait for the others. */
  static final byte SEATED = 1;

  /** Answer: a sentence follows that says why not. */
  static final byte REJECTED = 2;

  /** Answer: another world meets here. */
  static final byte ANOTHER_WORLD = 3;

  /** All have joined: the roster follows. */
  static final byte ROSTER = 4;

  /** From a rank: connected to all others. From rank 0: all are. */
  static final byte READY = 5;

  void write(DataOutput out) throws IOException {
    out.writeLong(MAGIC);
    out.writeInt(VERSION);
    out.writeUTF(job);
    out.writeInt(rank);
    out.writeInt(size);
    seat.write(out);
  }

  /** The version of what follows. */
  static int readVersion(DataInput in) throws IOException {
    if (in.readLong() != MAGIC) {
      throw new IOException("not an xfuser rank");
    }
    return in.readInt();
  }

  static Hello read(DataInput in) throws IOException {
    return new Hello(in.readUTF(), in.readInt(), in.readInt(), Roster.Seat.read(in));
  }
}
