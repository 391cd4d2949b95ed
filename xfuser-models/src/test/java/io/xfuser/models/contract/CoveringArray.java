package io.xfuser.models.contract;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Few cases instead of all: all that any case shows is shown by one that is chosen, for example
 * every pair of two factors' values. Greedy, as in the AETG system (doi:10.1109/32.605761): the
 * next case is one that shows most of what is left for what it takes. With the profile {@code
 * all-layouts} every case is chosen.
 */
final class CoveringArray {
  /** Whether every case is tried. */
  static final boolean ALL = "all".equals(System.getProperty("xfuser.layouts"));

  private CoveringArray() {}

  /**
   * Chooses among {@code cases}.
   *
   * @param seed decides among equally good cases, so that models try different ones
   * @param shows what a case shows
   * @param cost how long it takes, above 0
   */
  static <T> List<T> of(
      List<T> cases, int seed, Function<T, Set<?>> shows, ToDoubleFunction<T> cost) {
    return ALL ? cases : choose(cases, seed, shows, cost);
  }

  static <T> List<T> choose(
      List<T> cases, int seed, Function<T, Set<?>> shows, ToDoubleFunction<T> cost) {
    List<T> shuffled = new ArrayList<>(cases);
    Collections.shuffle(shuffled, new Random(seed));
    Map<Object, Integer> numbers = new HashMap<>();
    List<BitSet> shown = shuffled.stream().map(one -> numbered(shows.apply(one), numbers)).toList();
    double[] costs = shuffled.stream().mapToDouble(cost).toArray();
    BitSet left = new BitSet();
    left.set(0, numbers.size());
    List<T> chosen = new ArrayList<>();
    while (!left.isEmpty()) {
      int best = mostOf(left, shown, costs);
      left.andNot(shown.get(best));
      chosen.add(shuffled.get(best));
    }
    return chosen;
  }

  /** Every pair of two of {@code values}, which stand for factors in the same order each time. */
  static Set<List<?>> pairs(List<?> values) {
    Set<List<?>> pairs = new HashSet<>();
    for (int i = 0; i < values.size(); i++) {
      for (int j = 0; j < i; j++) {
        pairs.add(List.of(i, values.get(i), j, values.get(j)));
      }
    }
    return pairs;
  }

  private static BitSet numbered(Set<?> shown, Map<Object, Integer> numbers) {
    BitSet set = new BitSet();
    for (Object one : shown) {
      Integer next = numbers.size();
      Integer known = numbers.putIfAbsent(one, next);
      set.set(known == null ? next : known);
    }
    return set;
  }

  private static int mostOf(BitSet left, List<BitSet> shown, double[] costs) {
    int best = 0;
    double most = -1;
    for (int i = 0; i < shown.size(); i++) {
      BitSet covered = (BitSet) shown.get(i).clone();
      covered.and(left);
      double worth = covered.cardinality() / costs[i];
      if (worth > most) {
        most = worth;
        best = i;
      }
    }
    return best;
  }
}
