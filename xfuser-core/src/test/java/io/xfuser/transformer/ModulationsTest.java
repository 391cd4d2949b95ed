package io.xfuser.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec.Modulations;
import org.junit.jupiter.api.Test;

class ModulationsTest {
  private static final ElementType RUN = ElementType.BFLOAT16; // 2 bytes

  @Test
  void thoseOfATimestepAreKeptForUpToSixteenSteps() {
    assertThat(Modulations.shared(6).bytes(100, 2, 5, RUN, false)).isEqualTo(6 * 100 * 5 * 2);
    assertThat(Modulations.shared(6).bytes(100, 2, 50, RUN, false)).isEqualTo(6 * 100 * 16 * 2);
    assertThat(Modulations.NONE.bytes(100, 2, 50, RUN, false)).isZero();
  }

  @Test
  void rowsThatHaveTheirOwnCountForEachStep() {
    assertThat(Modulations.ofRows(3).bytes(100, 4, 50, RUN, false)).isEqualTo(3 * 100 * 16 * 2);
    assertThat(Modulations.ofRows(3).bytes(100, 4, 2, RUN, false)).isEqualTo(3 * 100 * 4 * 2 * 2);
    assertThat(Modulations.ofRows(3).bytes(100, 20, 50, RUN, false)).isEqualTo(3 * 100 * 20 * 2);
  }

  @Test
  void whatIsInATypeOfItsOwnCountsInThat() {
    Modulations exact = Modulations.shared(6).in(ElementType.FLOAT32);
    assertThat(exact.bytes(100, 1, 1, RUN, false)).isEqualTo(6 * 100 * 4);
  }
}
