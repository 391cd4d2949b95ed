package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * Carries the messages of one {@link Group}; ranks are those of the group. Used by the thread of
 * its rank.
 */
public interface Exchange {
  /**
   * This rank's part of an operation in which all ranks of the group take part, in the same order.
   * May wait until the ranks that are received from take part too.
   *
   * @return what arrives, in the order of the round's sources
   */
  List<Pending> play(Round round);

  /** A round in which every rank sends its {@code shard} to all others. */
  List<Pending> allGather(NDArray shard);

  /** Sends to one rank; returns at once, whatever the receiver does. */
  void send(int to, List<NDArray> tensors);

  /** Posts the receive of what one rank sends next; returns at once. */
  Pending receive(int from);

  /**
   * One rank's part of an operation of the group.
   *
   * @param operation what it is, as the message of a failure tells it
   * @param outgoing what is sent to whom; tensors are never written again
   * @param sources who is received from
   */
  record Round(
      String operation, SortedMap<Integer, List<NDArray>> outgoing, List<Integer> sources) {
    /** Something for every other rank, and something from each. */
    public static Round withAll(
        Group group, String operation, IntFunction<List<NDArray>> outgoing) {
      SortedMap<Integer, List<NDArray>> all = new TreeMap<>();
      group.peers().forEach(peer -> all.put(peer, outgoing.apply(peer)));
      return new Round(operation, all, group.peers());
    }
  }
}
