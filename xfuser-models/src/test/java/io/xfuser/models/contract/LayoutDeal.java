package io.xfuser.models.contract;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** Which layouts a model is tried with; with the profile {@code complete} all. */
final class LayoutDeal {
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

  /** What tests add to a model, which has a contract of its own. */
  private static final Set<String> ADDITIONS =
      Set.of(
          "chroma_tiny, shown",
          "flux2_klein_tiny, referring",
          "flux_kontext_tiny",
          "flux_schnell_tiny, shown",
          "sd35_medium_tiny, shown");

  /**
   * Whose blocks ask for more than their own share, and the method that this meets: stages pass
   * long skips on, parts of blocks share a norm over all heads.
   */
  private static final Map<String, String> THOROUGH =
      Map.of("hunyuandit_tiny", "stages", "wan22_tiny", "tensor");

  /** One for each decoder that ParallelVaePipelineTest does not try. */
  private static final Set<String> DECODERS =
      Set.of(
          "cogvideox_tiny",
          "flux2_tiny",
          "hunyuanvideo15_tiny",
          "qwenimage_tiny",
          "sana_tiny",
          "wan22_5b_tiny",
          "wan22_tiny");

  private LayoutDeal() {}

  /** Whether the blocks are those of another tiny pipeline. */
  static boolean isVariant(String own) {
    return VARIANTS.contains(own) || ADDITIONS.contains(own);
  }

  /** Those of {@code own}, where the tiny pipelines share out {@code all}. */
  static Stream<Layout> covering(List<Layout> all, List<Layout> tried, String own) {
    return covering(all, tried, FAMILY, own);
  }

  /**
   * Few of {@code all}, dealt out among {@code models}, because attention and the ranks' course are
   * the same for all models: every degree, every number of patches with every warm-up, and every
   * two methods, fresh and stale, are tried with one of them, because some faults show where two
   * meet; so are every three that share out attention, and each method of unequal shares, or of one
   * head, beside every other. Each model, one that is not named too, is tried with every method, in
   * unequal shares unless its blocks are another's; some with every two of which a certain one is
   * one.
   *
   * @param tried other layouts that {@code own} is tried with
   * @param own the model whose part is returned
   */
  static Stream<Layout> covering(
      List<Layout> all, List<Layout> tried, List<String> models, String own) {
    return covering(all, tried, models, own, Layout::shows, layout -> showsOfEach(layout, own));
  }

  /** {@code fixed}, and every two methods besides. */
  static Stream<Layout> coveringBeside(List<Layout> fixed, List<Layout> all, String own) {
    return CoveringArray.ALL
        ? all.stream()
        : Stream.concat(fixed.stream(), beside(fixed, all, own, Layout::pairs).stream());
  }

  /**
   * Every degree and every two methods with one of the models, every method with each, and stale
   * those of patches.
   */
  static Stream<Layout> coveringMethods(List<Layout> all, String own) {
    Function<Layout, Set<?>> shows =
        layout -> {
          Set<Object> shown = layout.showsOfStalePatches();
          if (!isVariant(own)) {
            shown.addAll(layout.showsOfMethods());
          }
          return shown;
        };
    return covering(all, List.of(), FAMILY, own, Layout::showsOfCosts, shows);
  }

  /** Of some places where blocks can be cut, those that {@code own} is cut at. */
  static List<Integer> cuts(List<Integer> places, String own) {
    return CoveringArray.ALL || "stages".equals(THOROUGH.get(own))
        ? places
        : List.of(places.get(Math.floorMod(own.hashCode(), places.size())));
  }

  /** What is asked of {@code own} in particular, besides every method. */
  static Set<Object> showsOfEach(Layout layout, String own) {
    Set<Object> shown = new HashSet<>();
    if (DECODERS.contains(own)) {
      shown.add("decoding together " + layout.decodesTogether());
    }
    if (!isVariant(own)) {
      shown.addAll(layout.showsOfMethods());
      shown.add("encoding together " + layout.encodesTogether());
    }
    if (layout.degrees().distrifusionDegree() > 1 && layout.warmupSteps() < 2) {
      shown.add("what is stale is replaced by what is stale");
    }
    String method = THOROUGH.get(own);
    if (method != null) {
      layout.pairs().stream().filter(pair -> pair.contains(method)).forEach(shown::add);
    }
    return shown;
  }

  private static Stream<Layout> covering(
      List<Layout> all,
      List<Layout> tried,
      List<String> models,
      String own,
      Function<Layout, Set<?>> together,
      Function<Layout, Set<?>> shows) {
    if (CoveringArray.ALL) {
      return all.stream();
    }
    List<Layout> before = new ArrayList<>(tried);
    int place = models.indexOf(own);
    if (place >= 0) {
      List<Layout> dealt = CoveringArray.of(all, 0, together, Layout::cost);
      before.addAll(CoveringArray.part(dealt, place, models.size()));
    }
    return Stream.concat(
        before.stream().skip(tried.size()), beside(before, all, own, shows).stream());
  }

  /** What each shows that {@code before} do not, and every method where none is uneven. */
  private static List<Layout> beside(
      List<Layout> before, List<Layout> all, String own, Function<Layout, Set<?>> shows) {
    List<Layout> tried = new ArrayList<>(before);
    for (Function<Layout, Set<?>> asked :
        List.<Function<Layout, Set<?>>>of(shows, layout -> Set.copyOf(layout.methods()))) {
      tried.addAll(CoveringArray.beside(tried, all, own.hashCode(), asked, Layout::cost));
    }
    return tried.subList(before.size(), tried.size());
  }
}
