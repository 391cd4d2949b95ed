package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * One test of a contract: degrees, and when staleness begins.
 *
 * @param warmupSteps of {@link ParallelContract#STEPS}
 */
record Layout(ParallelConfig degrees, int warmupSteps) {
  /** Tiny pipelines of six heads, few blocks and guidance, which share out the layouts. */
  private static final List<String> FAMILY =
      List.of(
          "chroma_tiny",
          "dit_tiny",
          "flux_dev_tiny",
          "latte_tiny",
          "qwenimage_tiny",
          "sana_tiny",
          "sd35_medium_tiny",
          "zimage_tiny");

  /** Tiny pipelines whose blocks are those of another one. */
  static final Set<String> VARIANTS =
      Set.of(
          "cogvideox15_tiny",
          "cogvideox_5b_tiny",
          "flux2_klein_tiny",
          "flux_schnell_tiny",
          "hunyuandit12_tiny",
          "pixart_alpha_tiny",
          "sana_2k_tiny",
          "sana_sprint_tiny",
          "sd35_large_tiny",
          "sd3_tiny",
          "wan22_5b_tiny",
          "wan_flf_tiny");

  /** Whose blocks ask for more than their own share: long skips, norms over all heads. */
  private static final Set<String> THOROUGH = Set.of("hunyuandit_tiny", "wan22_tiny");

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
  private double cost() {
    int world = degrees.worldSize() / degrees.pipefusionDegree();
    int parts = degrees.patches() * degrees.distrifusionPatches() / degrees.distrifusionDegree();
    return 4
        + world * passes(parts)
        + (stale() ? passes(patches()) / 2.0 : 0)
        + (decodesTogether() ? 8 : 0);
  }

  /** Of one rank that has as many patches. */
  private int passes(int patches) {
    int fresh = Math.min(warmupSteps, ParallelContract.STEPS);
    return fresh + (ParallelContract.STEPS - fresh) * patches;
  }

  /** What may differ: rounding, and almost nothing where no sum is split among ranks. */
  double tolerance() {
    int sharing = degrees.tensorDegree() * degrees.ulyssesDegree() * degrees.ringDegree();
    return sharing == 1 ? 1e-5 : 1e-4;
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

  /** Those of {@code own}, where the tiny pipelines share out {@code all}. */
  static Stream<Layout> covering(List<Layout> all, String own) {
    return covering(all, FAMILY, own);
  }

  /**
   * Few of {@code all}, dealt out among {@code models}, because attention and the ranks' course are
   * the same for all models: every degree, every number of patches with every warm-up, and every
   * three methods (staleness is one) are tried with one of them, because some faults show where
   * three meet; so is each method of unequal shares, or of one head, beside every other. Each
   * model, one that is not named too, is tried with every method; some with every two.
   *
   * @param own the model whose part is returned
   */
  static Stream<Layout> covering(List<Layout> all, List<String> models, String own) {
    return covering(all, models, own, showsOf(own));
  }

  /** {@code fixed}, and every two methods besides. */
  static Stream<Layout> coveringBeside(List<Layout> fixed, List<Layout> all, String own) {
    return CoveringArray.ALL ? all.stream() : beside(fixed, all, own, Layout::showsOfThorough);
  }

  private static Function<Layout, Set<?>> showsOf(String own) {
    return THOROUGH.contains(own) ? Layout::showsOfThorough : Layout::showsOfEach;
  }

  /** The same where no model is tried with every two methods, nor decoded together. */
  static Stream<Layout> coveringMethods(List<Layout> all, String own) {
    return covering(all, FAMILY, own, Layout::showsOfMethods);
  }

  /** Of some places where blocks can be cut, those that {@code own} is cut at. */
  static List<Integer> cuts(List<Integer> places, String own) {
    return CoveringArray.ALL || THOROUGH.contains(own)
        ? places
        : List.of(places.get(Math.floorMod(own.hashCode(), places.size())));
  }

  private static Stream<Layout> covering(
      List<Layout> all, List<String> models, String own, Function<Layout, Set<?>> shows) {
    if (CoveringArray.ALL) {
      return all.stream();
    }
    List<Layout> dealt = CoveringArray.of(all, 0, Layout::shows, Layout::cost);
    int place = models.indexOf(own);
    List<Layout> part = place < 0 ? List.of() : CoveringArray.part(dealt, place, models.size());
    return beside(part, all, own, shows);
  }

  /** What each shows, and every method where none is uneven. */
  private static Stream<Layout> beside(
      List<Layout> part, List<Layout> all, String own, Function<Layout, Set<?>> shows) {
    List<Layout> chosen = new ArrayList<>(part);
    for (Function<Layout, Set<?>> asked :
        List.<Function<Layout, Set<?>>>of(shows, layout -> Set.copyOf(layout.methods()))) {
      chosen.addAll(CoveringArray.beside(chosen, all, own.hashCode(), asked, Layout::cost));
    }
    return chosen.stream();
  }

  /** Each of its numbers, patches with warm-up steps, and every three methods, uneven or not. */
  Set<?> shows() {
    Set<Object> shown = new HashSet<>(CoveringArray.pairs(List.of(patches(), warmupSteps)));
    List<Object> numbers = numbers();
    for (int i = 0; i < numbers.size(); i++) {
      shown.add(List.of(i, numbers.get(i)));
    }
    shown.addAll(CoveringArray.combinations(methods(), 3));
    uneven().forEach(u -> methods().forEach(m -> shown.add(List.of("uneven", u, m))));
    return shown;
  }

  /** Pairs of its methods, and what each model shows. */
  Set<?> showsOfThorough() {
    Set<Object> shown = new HashSet<>(CoveringArray.combinations(methods(), 2));
    shown.addAll(showsOfEach());
    return shown;
  }

  /** Its methods, of uneven shares where it has them, and what else ranks do together. */
  Set<?> showsOfEach() {
    Set<Object> shown = showsOfMethods();
    shown.add("decoding together " + decodesTogether());
    shown.add("encoding together " + encodesTogether());
    return shown;
  }

  private Set<Object> showsOfMethods() {
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

  private List<String> methods() {
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
