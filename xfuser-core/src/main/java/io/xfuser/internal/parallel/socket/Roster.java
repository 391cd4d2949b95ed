package io.xfuser.internal.parallel.socket;

import io.xfuser.internal.parallel.OwnAddresses;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The ranks of a world and where each listens.
 *
 * @param session drawn by rank 0, so that connections of other worlds are told apart
 * @param seats by rank
 */
record Roster(String session, List<Seat> seats) {

  /**
   * Where one rank listens.
   *
   * @param addresses to try in this order
   * @param port its data listener
   */
  record Seat(List<String> addresses, int port) {
    /** At most this many addresses of a machine are told. */
    private static final int MAX_ADDRESSES = 64;

    @Override
    public String toString() {
      return "port %d of %s".formatted(port, addresses);
    }

    void write(DataOutput out) throws IOException {
      out.writeUTF(
          String.join(" ", addresses.subList(0, Math.min(MAX_ADDRESSES, addresses.size()))));
      out.writeInt(port);
    }

    static Seat read(DataInput in) throws IOException {
      return new Seat(
          Arrays.stream(in.readUTF().split(" ")).filter(x -> !x.isEmpty()).toList(), in.readInt());
    }

    /** With {@code address} tried first. */
    Seat seenAt(InetAddress address) {
      List<String> all = new ArrayList<>(addresses);
      all.remove(OwnAddresses.text(address));
      all.add(0, OwnAddresses.text(address));
      return new Seat(all, port);
    }
  }

  void write(DataOutput out) throws IOException {
    out.writeUTF(session);
    for (Seat seat : seats) {
      seat.write(out);
    }
  }

  static Roster read(DataInput in, int size) throws IOException {
    String session = in.readUTF();
    List<Seat> seats = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      seats.add(Seat.read(in));
    }
    return new Roster(session, seats);
  }

  /** With an address of {@code rank} that is tried first. */
  Roster seenAt(int rank, InetAddress address) {
    List<Seat> changed = new ArrayList<>(seats);
    changed.set(rank, seats.get(rank).seenAt(address));
    return new Roster(session, changed);
  }
}
