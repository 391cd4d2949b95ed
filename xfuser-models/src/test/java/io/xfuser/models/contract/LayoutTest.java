package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LayoutTest {
  private static final List<String> MODELS = List.of("one", "its sibling");

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

  @Test
  void siblingsTogetherTryEveryPairAndEveryThreeMethodsAndEachEveryDegree() {
    Set<Object> ofAll = new HashSet<>();
    Set<Object> ofChosen = new HashSet<>();
    int chosen = 0;
    for (String model : MODELS) {
      List<Layout> own = Layout.covering(ALL, MODELS, model).toList();
      own.forEach(layout -> ofChosen.addAll(layout.shows(model)));
      ALL.forEach(layout -> ofAll.addAll(layout.shows(model)));
      chosen += own.size();
    }
    assertThat(ofChosen).isEqualTo(ofAll).contains(List.of("CFG", "ring", "staleness"));
    assertThat(chosen).as("of %d twice", ALL.size()).isLessThan(ALL.size() / 4);
  }
}
