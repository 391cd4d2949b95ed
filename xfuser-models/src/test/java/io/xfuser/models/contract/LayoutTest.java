package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
  void modelsTogetherTryEveryPairAndEveryThreeMethods() {
    Set<Object> ofAll = new HashSet<>();
    ALL.forEach(layout -> ofAll.addAll(layout.shows()));
    Set<Object> ofChosen = new HashSet<>();
    MODELS.forEach(model -> of(model).forEach(layout -> ofChosen.addAll(layout.shows())));
    assertThat(ofChosen).isEqualTo(ofAll).contains(List.of("CFG", "ring", "staleness"));
    long chosen = MODELS.stream().flatMap(LayoutTest::of).count();
    assertThat(chosen).as("of %d twice", ALL.size()).isLessThan(ALL.size() / 4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"one", "another", "added"})
  void eachModelTriesEveryTwoMethodsAndEachInUnevenShares(String model) {
    Set<Object> ofAll = new HashSet<>();
    ALL.forEach(layout -> ofAll.addAll(layout.showsOfEach()));
    Set<Object> ofChosen = new HashSet<>();
    of(model).forEach(layout -> ofChosen.addAll(layout.showsOfEach()));
    assertThat(ofChosen).isEqualTo(ofAll);
    assertThat(of(model)).doesNotHaveDuplicates();
  }

  @Test
  void aModelWithTheBlocksOfAnotherTriesEveryMethod() {
    Set<Object> ofAll = new HashSet<>();
    ALL.forEach(layout -> ofAll.addAll(layout.showsOfVariant()));
    List<Layout> chosen = of("sana_sprint_tiny").toList();
    Set<Object> ofChosen = new HashSet<>();
    chosen.forEach(layout -> ofChosen.addAll(layout.showsOfVariant()));
    assertThat(ofChosen).isEqualTo(ofAll);
    assertThat(chosen).hasSizeLessThan((int) of("added").count());
  }
}
