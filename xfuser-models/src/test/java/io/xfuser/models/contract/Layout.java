package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * One test of a contract: degrees, and when staleness begins.
 *
 * @param warmupSteps of {@link ParallelContract#STEPS}
 */
record Layout(ParallelConfig degrees, int warmupSteps) {
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

  /** How long it takes, in some unit: tiny operators count, whatever they compute. */
  private double cost() {
    return 40 + (double) degrees.worldSize() / degrees.pipefusionDegree() * degrees.patches();
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
    return turn() % 2 == 1;
  }

  boolean encodesTogether() {
    return turn() % 3 == 1;
  }

  /**
   * Few of {@code all}, shared out among {@code models}: every pair of degrees, patches and warm-up
   * steps occurs with one of them, and so does every three methods (staleness is one), because some
   * faults show where three meet; every degree occurs with each of them.
   *
   * @param own the model whose part is returned
   */
  static Stream<Layout> covering(List<Layout> all, List<String> models, String own) {
    record Trial(String model, Layout layout) {}

    List<Trial> trials =
        models.stream()
            .flatMap(model -> all.stream().map(layout -> new Trial(model, layout)))
            .toList();
    return CoveringArray.of(
            trials,
            models.hashCode(),
            trial -> trial.layout().shows(trial.model()),
            trial -> trial.layout().cost())
        .stream()
        .filter(trial -> trial.model().equals(own))
        .map(Trial::layout);
  }

  /** Pairs of its numbers and {@code model}, and all threes of its methods. */
  Set<?> shows(String model) {
    Set<Object> shown =
        new HashSet<>(
            CoveringArray.pairs(
                List.of(
                    model,
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
                    encodesTogether())));
    List<String> methods = methods();
    for (int i = 0; i < methods.size(); i++) {
      for (int j = i + 1; j < methods.size(); j++) {
        for (int k = j + 1; k < methods.size(); k++) {
          shown.add(List.of(methods.get(i), methods.get(j), methods.get(k)));
        }
      }
    }
    return shown;
  }

  private List<String> methods() {
    Map<String, Boolean> used = new TreeMap<>();
    used.put("data", degrees.dataDegree() > 1);
    used.put("CFG", degrees.cfgDegree() > 1);
    used.put("stages", degrees.pipefusionDegree() > 1);
    used.put("ring", degrees.ringDegree() > 1);
    used.put("Ulysses", degrees.ulyssesDegree() > 1);
    used.put("tensor", degrees.tensorDegree() > 1);
    used.put("DistriFusion", degrees.distrifusionDegree() > 1);
    used.put("staleness", stale());
    used.values().removeIf(isUsed -> !isUsed);
    return List.copyOf(used.keySet());
  }

  @Override
  public String toString() {
    return degrees.label() + " warmup" + warmupSteps;
  }
}
