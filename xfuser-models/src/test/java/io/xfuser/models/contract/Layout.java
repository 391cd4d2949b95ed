package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One test of a contract: degrees, and when staleness begins.
 *
 * @param warmupSteps of {@link ParallelContract#STEPS}
 */
record Layout(ParallelConfig degrees, int warmupSteps) {
  private static final Set<String> IN_ATTENTION =
      Set.of("DistriFusion", "Ulysses", "ring", "tensor");

  /** The methods that cut a picture into patches, which may be stale. */
  private static final Set<String> OF_PATCHES = Set.of("stages", "DistriFusion");

  static final Layout SERIAL = new Layout(ParallelConfig.serial(), 0);

  /**
   * The same patches and warm-up on one rank: all that the result may depend on. Where nothing is
   * stale that is serial, whatever the numbers; DistriFusion has always a synchronous step.
   */
  Layout onOneRank() {
    if (!stale()) {
      return SERIAL;
    }
    ParallelConfig serial = ParallelConfig.serial();
    int displaced = degrees.distrifusionPatches();
    return displaced == 1
        ? new Layout(serial.toBuilder().numPipelinePatch(degrees.patches()).build(), warmupSteps)
        : new Layout(
            serial.toBuilder().numDistrifusionPatch(displaced).build(), Math.max(1, warmupSteps));
  }

  /**
   * How long it takes, in passes of one rank through all blocks: tiny operators count, whatever
   * they compute. What is stale needs a reference of its own, which some share; texts and the ranks
   * themselves take as long as a few passes, a tiny autoencoder longer than all steps of a rank.
   */
  double cost() {
    int world = degrees.worldSize() / degrees.pipefusionDegree();
    int parts = degrees.patches() * degrees.distrifusionPatches() / degrees.distrifusionDegree();
    return 4
        + world * passes(parts)
        + (stale() ? passes(patches()) / 2.0 : 0)
        + (decodesTogether() ? 8 : 0);
  }

  /** Of one rank that has as many patches. */
  private int passes(int patches) {
    int fresh = Math.min(warmupSteps, steps());
    return fresh + (steps() - fresh) * patches;
  }

  /** What may differ: rounding, and almost nothing where no sum is split among ranks. */
  double tolerance() {
    int sharing = degrees.tensorDegree() * degrees.ulyssesDegree() * degrees.ringDegree();
    return sharing == 1 ? 1e-5 : 1e-4;
  }

  /** Of a generation: what replaces what is stale is read in the third; two show all else. */
  int steps() {
    return stale() ? ParallelContract.STEPS : ParallelContract.STEPS - 1;
  }

  private boolean stale() {
    return patches() > 1 && warmupSteps < ParallelContract.STEPS;
  }

  private int turn() {
    return patches() + warmupSteps;
  }

  private int patches() {
    return degrees.patches() * degrees.distrifusionPatches();
  }

  boolean decodesTogether() {
    return turn() % 4 == 1 && degrees.worldSize() > degrees.dataDegree();
  }

  boolean encodesTogether() {
    return turn() % 3 == 1 && degrees.worldSize() > degrees.dataDegree();
  }

  /**
   * Each of its numbers, patches with warm-up steps, and every two methods, uneven or not, and
   * three where one is staleness or all share out attention.
   */
  Set<?> shows() {
    Set<Object> shown = new HashSet<>(CoveringArray.pairs(List.of(patches(), warmupSteps)));
    List<Object> numbers = numbers();
    for (int i = 0; i < numbers.size(); i++) {
      shown.add(List.of(i, numbers.get(i)));
    }
    shown.addAll(pairs());
    CoveringArray.combinations(methods(), 3).stream()
        .filter(three -> three.contains("staleness") || IN_ATTENTION.containsAll(three))
        .forEach(shown::add);
    uneven().forEach(u -> methods().forEach(m -> shown.add(List.of("uneven", u, m))));
    return shown;
  }

  /**
   * Each of its degrees, and every two methods: of three, formulas say nothing else. With stages
   * and DistriFusion, each warm-up, and stale each degree.
   */
  Set<?> showsOfCosts() {
    Set<Object> shown = new HashSet<>(pairs());
    axes()
        .forEach(
            (method, degree) -> {
              shown.add(List.of(method, degree));
              if (degree > 1 && OF_PATCHES.contains(method)) {
                shown.add(List.of(method, "warm-up", warmupSteps));
                shown.add(List.of(method, degree, "stale", stale()));
              }
            });
    return shown;
  }

  /** Its methods whose patches are stale, in pairs. */
  Set<Object> showsOfStalePatches() {
    return pairs().stream()
        .filter(pair -> pair.contains("staleness") && OF_PATCHES.stream().anyMatch(pair::contains))
        .collect(Collectors.toSet());
  }

  /** Pairs of its methods. */
  Set<List<?>> pairs() {
    return CoveringArray.combinations(methods(), 2);
  }

  /** Its methods, of uneven shares where there can be such. */
  Set<Object> showsOfMethods() {
    Set<Object> shown = new HashSet<>(uneven());
    methods().stream().filter(Set.of("data", "CFG", "staleness")::contains).forEach(shown::add);
    return shown;
  }

  /**
   * The methods whose shares are unequal or small: of tokens or blocks, 3, and of six heads, 4,
   * which get two or one, or in tensor parallelism all of them.
   */
  private List<String> uneven() {
    Set<String> ofHeads = Set.of("Ulysses", "tensor");
    return axes().entrySet().stream()
        .filter(
            axis -> ofHeads.contains(axis.getKey()) ? axis.getValue() > 3 : axis.getValue() == 3)
        .map(Map.Entry::getKey)
        .toList();
  }

  private List<Object> numbers() {
    return List.of(
        degrees.dataDegree(),
        degrees.cfgDegree(),
        degrees.pipefusionDegree(),
        degrees.ringDegree(),
        degrees.ulyssesDegree(),
        degrees.tensorDegree(),
        degrees.distrifusionDegree(),
        degrees.distrifusionPatches(),
        degrees.patches(),
        warmupSteps,
        decodesTogether(),
        encodesTogether());
  }

  List<String> methods() {
    Stream<String> used =
        axes().entrySet().stream().filter(axis -> axis.getValue() > 1).map(Map.Entry::getKey);
    return Stream.concat(used, stale() ? Stream.of("staleness") : Stream.of()).toList();
  }

  private Map<String, Integer> axes() {
    Map<String, Integer> axes = new TreeMap<>();
    axes.put("data", degrees.dataDegree());
    axes.put("CFG", degrees.cfgDegree());
    axes.put("stages", degrees.pipefusionDegree());
    axes.put("ring", degrees.ringDegree());
    axes.put("Ulysses", degrees.ulyssesDegree());
    axes.put("tensor", degrees.tensorDegree());
    axes.put("DistriFusion", degrees.distrifusionDegree());
    return axes;
  }

  @Override
  public String toString() {
    return degrees.label() + " warmup" + warmupSteps;
  }
}
