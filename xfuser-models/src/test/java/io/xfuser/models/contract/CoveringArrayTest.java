package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CoveringArrayTest {
  private static List<Integer> digits(int number) {
    return List.of(number / 27, number / 9 % 3, number / 3 % 3, number % 3);
  }

  private static Set<List<?>> pairs(int number) {
    return CoveringArray.pairs(digits(number));
  }

  private static Set<List<?>> pairs(List<Integer> numbers) {
    return numbers.stream().flatMap(number -> pairs(number).stream()).collect(Collectors.toSet());
  }

  @Test
  void everyPairThatOccursOccursInAChosenCase() {
    // without one combination, as where ranks are too few
    List<Integer> all = IntStream.range(0, 81).filter(number -> number % 9 != 4).boxed().toList();
    List<Integer> chosen = CoveringArray.choose(all, 7, CoveringArrayTest::pairs, number -> 1);
    assertThat(pairs(chosen)).isEqualTo(pairs(all)).hasSize(53);
    assertThat(chosen).hasSizeLessThan(16).doesNotHaveDuplicates();
  }

  @Test
  void anotherSeedChoosesOthers() {
    List<Integer> all = IntStream.range(0, 81).boxed().toList();
    List<List<Integer>> chosen =
        Stream.of(1, 1, 2)
            .map(seed -> CoveringArray.choose(all, seed, CoveringArrayTest::pairs, number -> 1))
            .toList();
    assertThat(chosen.get(0)).isEqualTo(chosen.get(1)).isNotEqualTo(chosen.get(2));
  }

  @Test
  void ofTwoThatShowTheSameTheCheaperIsChosen() {
    assertThat(CoveringArray.choose(List.of(5, 2, 9), 1, number -> Set.of("all"), number -> number))
        .containsExactly(2);
  }
}
