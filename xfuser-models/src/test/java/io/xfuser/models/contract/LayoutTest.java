package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.ParallelConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayoutTest {
  private static final List<String> MODELS = List.of("one", "another");

  private static final List<Layout> ALL =
      Stream.of(pipelined(), DistriFusionLayouts.alone(), DistriFusionLayouts.hybrids())
          .flatMap(layouts -> layouts)
          .toList();

  private static Stream<Layout> pipelined() {
    return ParallelContract.degrees()
        .flatMap(
            degrees ->
                IntStream.range(0, 6)
                    .mapToObj(
                        i ->
                            new Layout(
                                degrees.toBuilder().numPipelinePatch(1 + i / 2).build(),
                                i % 2 * 3)));
  }

  private static Stream<Layout> of(String model) {
    return LayoutDeal.covering(ALL, List.of(), MODELS, model);
  }

  @Test
  void modelsTogetherTryEveryDegreeAndEveryTwoMethodsFreshAndStale() {
    List<Layout> together = MODELS.stream().flatMap(LayoutTest::of).toList();
    assertThat(shown(together, Layout::shows))
        .isEqualTo(shown(ALL, Layout::shows))
        .contains(List.of("CFG", "ring", "staleness"), List.of("Ulysses", "ring"));
  }

  @Test
  @DisabledIfSystemProperty(named = "xfuser.layouts", matches = "all")
  void modelsTogetherTryFewLayouts() {
    assertThat(MODELS.stream().flatMap(LayoutTest::of)).hasSizeLessThan(ALL.size() / 4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"one", "another", "added", "hunyuandit_tiny", "sd3_tiny", "wan22_5b_tiny"})
  void eachModelTriesEveryMethodAndWhatIsAskedOfIt(String model) {
    List<Layout> chosen = of(model).toList();
    assertThat(shown(chosen, layout -> LayoutDeal.showsOfEach(layout, model)))
        .isEqualTo(shown(ALL, layout -> LayoutDeal.showsOfEach(layout, model)));
    assertThat(shown(chosen, layout -> Set.copyOf(layout.methods())))
        .isEqualTo(shown(ALL, layout -> Set.copyOf(layout.methods())));
    assertThat(chosen).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(strings = {"added", "wan22_tiny", "wan22_5b_tiny"})
  void whatIsStaleIsReplacedByWhatIsStaleWithEachModel(String model) {
    ParallelConfig three = ParallelConfig.builder().distrifusionDegree(3).build();
    Layout replacedOnce = new Layout(three.toBuilder().tensorDegree(2).build(), 2);
    assertThat(LayoutDeal.covering(ALL, List.of(replacedOnce), List.of(), model))
        .anyMatch(layout -> layout.degrees().distrifusionDegree() > 1 && layout.warmupSteps() < 2);
  }

  @Test
  @DisabledIfSystemProperty(named = "xfuser.layouts", matches = "all")
  void methodsAreTriedInUnevenSharesUnlessBlocksAreAnotherModels() {
    assertThat(of("added")).anyMatch(layout -> layout.degrees().ringDegree() == 3);
    assertThat(of("sd3_tiny")).noneMatch(layout -> layout.degrees().ringDegree() == 3);
    assertThat(of("sd3_tiny").count()).isLessThan(of("added").count());
  }

  @Test
  @DisabledIfSystemProperty(named = "xfuser.layouts", matches = "all")
  void whatIsTriedAlreadyIsNotAskedAgain() {
    Layout tried = of("sd3_tiny").findFirst().orElseThrow();
    assertThat(LayoutDeal.covering(ALL, List.of(tried), MODELS, "sd3_tiny"))
        .isNotEmpty()
        .doesNotContain(tried);
  }

  @Test
  void methodsThatHaveNoUnevenSharesAreTriedToo() {
    List<Layout> even = ALL.stream().filter(layout -> layout.degrees().ringDegree() <= 2).toList();
    assertThat(LayoutDeal.covering(even, List.of(), MODELS, "added"))
        .anyMatch(layout -> layout.degrees().ringDegree() == 2);
  }

  @Test
  void someModelsTryEveryTwoMethodsOfWhichOneIsTheirs() {
    assertThat(shown(of("hunyuandit_tiny").toList(), Layout::pairs))
        .contains(
            List.of("CFG", "stages"), List.of("ring", "stages"), List.of("stages", "staleness"));
  }

  private static Set<Object> shown(List<Layout> layouts, Function<Layout, Set<?>> shows) {
    Set<Object> all = new HashSet<>();
    layouts.forEach(layout -> all.addAll(shows.apply(layout)));
    return all;
  }
}
