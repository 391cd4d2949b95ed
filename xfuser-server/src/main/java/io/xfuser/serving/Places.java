package io.xfuser.serving;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How many ranks compute on each of several devices, so that new ones go where the fewest do. Not
 * guarded.
 */
final class Places {
  private final int[] ranks;

  /** On so many devices, nobody yet. */
  Places(int devices) {
    this.ranks = new int[devices];
  }

  /** The devices for {@code count} more ranks, in their order. */
  List<Integer> forNew(int count) {
    int[] then = ranks.clone();
    List<Integer> places = new ArrayList<>();
    for (int rank = 0; rank < count; rank++) {
      int next =
          IntStream.range(0, then.length)
              .boxed()
              .min(Comparator.comparingInt(device -> then[device]))
              .orElseThrow();
      then[next]++;
      places.add(next);
    }
    return places.stream().sorted().toList();
  }

  /** Whether ranks on {@code places} are no more crowded than new ones would be. */
  boolean asGood(List<Integer> places) {
    return crowd(places) <= crowd(forNew(places.size()));
  }

  /** The most ranks on one of their devices, with them. */
  private int crowd(List<Integer> places) {
    int[] then = ranks.clone();
    places.forEach(device -> then[device]++);
    return places.stream().mapToInt(device -> then[device]).max().orElse(0);
  }

  /** Ranks begin to compute there. */
  void take(List<Integer> places) {
    places.forEach(device -> ranks[device]++);
  }

  /** They have ended. */
  void giveBack(List<Integer> places) {
    places.forEach(device -> ranks[device]--);
  }
}
