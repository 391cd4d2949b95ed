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
import java.util.stream.IntStream;

/**
 * Few cases instead of all: all that any case shows is shown by one that is chosen, for example
 * every pair of two factors' values. Greedy, as in the AETG system (doi:10.1109/32.605761): the
 * next case is one that shows most of what is left for what it takes. With the profile {@code
 * complete} every case is chosen.
 */
public final class CoveringArray {
  /** Whether every case is tried. */
  public static final boolean ALL = "all".equals(System.getProperty("xfuser.layouts"));

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
    return beside(List.of(), cases, seed, shows, cost);
  }

  /** Chooses among {@code cases} for what {@code before} do not show. */
  static <T> List<T> beside(
      List<T> before,
      List<T> cases,
      int seed,
      Function<T, Set<?>> shows,
      ToDoubleFunction<T> cost) {
    List<T> shuffled = new ArrayList<>(cases);
    Collections.shuffle(shuffled, new Random(seed));
    Map<Object, Integer> numbers = new HashMap<>();
    List<BitSet> shown = shuffled.stream().map(one -> numbered(shows.apply(one), numbers)).toList();
    double[] costs = shuffled.stream().mapToDouble(cost).toArray();
    BitSet left = new BitSet();
    left.set(0, numbers.size());
    before.forEach(one -> left.andNot(numbered(shows.apply(one), numbers)));
    List<T> chosen = new ArrayList<>();
    while (!left.isEmpty()) {
      int best = mostOf(left, shown, costs);
      left.andNot(shown.get(best));
      chosen.add(shuffled.get(best));
    }
    return chosen;
  }

  /**
   * One of {@code parts} of {@code all}, which players of as many places try together.
   *
   * @param place any number: those that differ by a multiple of {@code parts} get the same
   */
  public static <T> List<T> part(List<T> all, int place, int parts) {
    return IntStream.range(0, all.size())
        .filter(i -> ALL || i % parts == Math.floorMod(place, parts))
        .mapToObj(all::get)
        .toList();
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

  /** Every {@code count} of {@code values}, in their order. */
  static Set<List<?>> combinations(List<?> values, int count) {
    if (count == 0) {
      return Set.of(List.of());
    }
    Set<List<?>> all = new HashSet<>();
    for (int i = 0; i < values.size(); i++) {
      for (List<?> rest : combinations(values.subList(i + 1, values.size()), count - 1)) {
        List<Object> one = new ArrayList<>(List.of(values.get(i)));
        one.addAll(rest);
        all.add(one);
      }
    }
    return all;
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
