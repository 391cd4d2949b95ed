package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.MismatchException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FingerprintTest {
  private static final Fingerprint TWO =
      Fingerprint.EMPTY.with("ulysses_degree", 2).with("dtype", "float32");

  @Test
  void equalOnesHaveNoDifferences() {
    assertThat(Fingerprint.differences(List.of(TWO, TWO, TWO))).isEmpty();
    assertThat(Fingerprint.differences(List.of(TWO))).isEmpty();
  }

  @Test
  void whatDiffersIsNamedWithTheRanksAndTheirValues() {
    Fingerprint four = TWO.with("ulysses_degree", 4);
    assertThat(Fingerprint.differences(List.of(TWO, four)))
        .contains("rank 1 has ulysses_degree 4, rank 0 has 2");
    assertThat(Fingerprint.differences(List.of(TWO, four, TWO, four, four)))
        .contains("ranks 1, 3 and 4 have ulysses_degree 4, ranks 0 and 2 have 2");
    assertThat(Fingerprint.differences(List.of(TWO, four, TWO.with("ulysses_degree", 8))))
        .contains("rank 1 has ulysses_degree 4, rank 2 has 8, rank 0 has 2");
    assertThat(Fingerprint.differences(List.of(TWO, four.with("dtype", "float16"))))
        .contains(
            "rank 1 has ulysses_degree 4, rank 0 has 2; rank 1 has dtype float16, rank 0 has"
                + " float32");
  }

  @Test
  void whatOneRankLacksIsNamed() {
    assertThat(Fingerprint.differences(List.of(TWO, TWO.with("seed", 7))))
        .contains("rank 1 has seed 7, rank 0 has none");
    assertThat(Fingerprint.differences(List.of(TWO.with("seed", 7), TWO)))
        .contains("rank 1 has no seed, rank 0 has 7");
    assertThat(
            Fingerprint.differences(
                List.of(
                    Fingerprint.EMPTY.with("prompt", "x"), Fingerprint.EMPTY.with("prompt", ""))))
        .contains("rank 1 has prompt \"\", rank 0 has x");
  }

  @Test
  void ofLongValuesThePieceIsShownInWhichTheyDiffer() {
    String prompt = "a fox ".repeat(100);
    assertThat(
            Fingerprint.differences(
                List.of(
                    Fingerprint.EMPTY.with("prompt", prompt + "asleep"),
                    Fingerprint.EMPTY.with("prompt", prompt + "awake"))))
        .contains(
            "rank 1 has prompt … a fox a fox a fox awake, rank 0 has … a fox a fox a fox asleep");
  }

  @Test
  void ofManyDifferencesTheFirstAreShown() {
    Fingerprint one = Fingerprint.EMPTY;
    Fingerprint other = Fingerprint.EMPTY;
    for (int i = 0; i < 8; i++) {
      one = one.with("x" + i, 0);
      other = other.with("x" + i, 1);
    }
    assertThat(Fingerprint.differences(List.of(one, other)).orElseThrow())
        .startsWith("rank 1 has x0 1, rank 0 has 0; ")
        .endsWith("rank 1 has x4 1, rank 0 has 0; and 3 more differ");
  }

  @Test
  void bytesAreReadBackAndOthersRefused() {
    Fingerprint text = TWO.with("prompt", "ein Füchslein 🦊\n\0");
    assertThat(Fingerprint.decode(text.encode())).isEqualTo(text);
    byte[] bytes = text.encode();
    assertThatThrownBy(() -> Fingerprint.decode(Arrays.copyOf(bytes, bytes.length - 1)))
        .isInstanceOf(IllegalArgumentException.class);
    bytes[4] = 127; // a text of two gigabytes
    assertThatThrownBy(() -> Fingerprint.decode(bytes)).hasMessage("not a fingerprint");
  }

  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void allRanksNameTheSameDifferenceAndTheWorldGoesOn(TestRanks backend) throws Exception {
    backend.run(
        3,
        world -> {
          world.requireEqual(TWO);
          Fingerprint own = TWO.with("seed", world.rank() == 1 ? 43 : 42);
          assertThatThrownBy(() -> world.requireEqual(own))
              .isExactlyInstanceOf(MismatchException.class)
              .hasMessage("rank 1 has seed 43, ranks 0 and 2 have 42");
          world.requireEqual(TWO);
          TestRanks.all(world).barrier();
          return true;
        });
  }

  @Test
  void aRefusalIsAllThatIsTold() {
    Fingerprint asked = Fingerprint.EMPTY.with("seed", 1).with("height", 64);
    assertThat(Fingerprint.differences(List.of(asked, Fingerprint.refusal("100 is too many"))))
        .hasValue("rank 1 refuses the request: 100 is too many");
  }
}
