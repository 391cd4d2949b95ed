package io.xfuser.models.contract;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/**
 * Few cases instead of all: every pair of values of two factors that occurs in any case occurs in
 * one that is chosen. Greedy, as in the AETG system (doi:10.1109/32.605761): the next case is one
 * that covers most pairs that are left. With the profile {@code all-layouts} every case is chosen.
 */
final class CoveringArray {
  private static final boolean ALL = "all".equals(System.getProperty("xfuser.layouts"));

  private CoveringArray() {}

  /**
   * Chooses among {@code cases}.
   *
   * @param seed decides among equally good cases, so that models try different ones
   * @param factors the values of a case, as many for each
   */
  static <T> List<T> pairs(List<T> cases, int seed, Function<T, List<?>> factors) {
    return ALL ? cases : choose(cases, seed, factors);
  }

  static <T> List<T> choose(List<T> cases, int seed, Function<T, List<?>> factors) {
    List<T> shuffled = new ArrayList<>(cases);
    Collections.shuffle(shuffled, new Random(seed));
    Map<List<?>, Integer> numbers = new HashMap<>();
    List<BitSet> pairsOf =
        shuffled.stream().map(test -> pairsOf(factors.apply(test), numbers)).toList();
    BitSet left = new BitSet();
    left.set(0, numbers.size());
    List<T> chosen = new ArrayList<>();
    while (!left.isEmpty()) {
      int best = mostOf(left, pairsOf);
      left.andNot(pairsOf.get(best));
      chosen.add(shuffled.get(best));
    }
    return chosen;
  }

  private static BitSet pairsOf(List<?> values, Map<List<?>, Integer> numbers) {
    BitSet pairs = new BitSet();
    for (int i = 0; i < values.size(); i++) {
      for (int j = 0; j < i; j++) {
        List<?> pair = List.of(i, values.get(i), j, values.get(j));
        Integer next = numbers.size();
        Integer known = numbers.putIfAbsent(pair, next);
        pairs.set(known == null ? next : known);
      }
    }
    return pairs;
  }

  private static int mostOf(BitSet left, List<BitSet> pairsOf) {
    int best = 0;
    int most = -1;
    for (int i = 0; i < pairsOf.size(); i++) {
      BitSet covered = (BitSet) pairsOf.get(i).clone();
      covered.and(left);
      if (covered.cardinality() > most) {
        most = covered.cardinality();
        best = i;
      }
    }
    return best;
  }
}
