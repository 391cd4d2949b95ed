package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayoutTest {
  private static final List<String> MODELS = List.of("one", "another");

  private static final List<Layout> ALL =
      ParallelContract.degrees()
          .flatMap(
              degrees ->
                  IntStream.range(0, 6)
                      .mapToObj(
                          i ->
                              new Layout(
                                  degrees.toBuilder().numPipelinePatch(1 + i / 2).build(),
                                  i % 2 * 3)))
          .toList();

  private static Stream<Layout> of(String model) {
    return Layout.covering(ALL, MODELS, model);
  }

  @Test
  void modelsTogetherTryEveryDegreeAndEveryThreeMethods() {
    List<Layout> together = MODELS.stream().flatMap(LayoutTest::of).toList();
    assertThat(shown(together, Layout::shows))
        .isEqualTo(shown(ALL, Layout::shows))
        .contains(List.of("CFG", "ring", "staleness"));
    assertThat(together).as("of %d twice", ALL.size()).hasSizeLessThan(ALL.size() / 4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"one", "another", "added"})
  void eachModelTriesEveryMethodInUnevenSharesToo(String model) {
    List<Layout> chosen = of(model).toList();
    assertThat(shown(chosen, Layout::showsOfEach)).isEqualTo(shown(ALL, Layout::showsOfEach));
    assertThat(chosen).doesNotHaveDuplicates();
  }

  @Test
  void methodsThatHaveNoUnevenSharesAreTriedToo() {
    List<Layout> even = ALL.stream().filter(layout -> layout.degrees().ringDegree() <= 2).toList();
    assertThat(Layout.covering(even, MODELS, "added"))
        .anyMatch(layout -> layout.degrees().ringDegree() == 2);
  }

  @Test
  void someModelsTryEveryTwoMethods() {
    List<Layout> chosen = of("hunyuandit_tiny").toList();
    assertThat(shown(chosen, Layout::showsOfThorough))
        .isEqualTo(shown(ALL, Layout::showsOfThorough))
        .contains(List.of("Ulysses", "ring"));
    assertThat(chosen).hasSizeGreaterThan((int) of("added").count());
  }

  private static Set<Object> shown(List<Layout> layouts, Function<Layout, Set<?>> shows) {
    Set<Object> all = new HashSet<>();
    layouts.forEach(layout -> all.addAll(shows.apply(layout)));
    return all;
  }
}
