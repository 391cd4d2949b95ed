package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.models.contract.CostTable.Cost;
import io.xfuser.models.contract.CostTable.Method;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The methods compared, as xDiT's README does it, but counted. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CostTableTest {
  private static final Percentage SENT = Percentage.withPercentage(1);
  private static final Percentage HELD = Percentage.withPercentage(5);

  private CostTable table;

  @BeforeAll
  void write(@TempDir Path directory) throws IOException {
    table = new CostTable(DeepPixArt.write(directory));
  }

  @AfterAll
  void close() {
    table.close();
  }

  static Stream<Method> methods() {
    return CostTable.METHODS.stream();
  }

  @ParameterizedTest
  @MethodSource("methods")
  void countsAreThoseOfTheTable(Method method) {
    Cost counted = table.counted(method);
    Cost expected = method.expected();
    assertThat(counted.sent()).isCloseTo(expected.sent(), SENT);
    assertThat(counted.parameters()).isCloseTo(expected.parameters(), HELD);
    assertThat(counted.queries()).isCloseTo(expected.queries(), HELD);
    assertThat(counted.keys()).isCloseTo(expected.keys(), HELD);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void ulyssesSendsFourTimesTheBlocksByTheRanksOfWhatPipeFusionSends(int ranks) {
    assertThat(table.ulyssesByPipeFusion(ranks)).isCloseTo(4.0 * DeepPixArt.BLOCKS / ranks, SENT);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void stripsSendWhatTheFormulasSay(int strips) {
    List<Long> counted = table.decoding(strips);
    for (int strip = 0; strip < strips; strip++) {
      long latents = strip == 0 ? table.decodingCosts().latents(strips) : 0;
      assertThat(counted.get(strip)).isEqualTo(table.decodingCosts().sent(strip, strips) + latents);
    }
  }

  @Tag("complete")
  @Test
  void soItDoesOfEightRanks() {
    ulyssesSendsFourTimesTheBlocksByTheRanksOfWhatPipeFusionSends(8);
  }

  @Tag("complete")
  @Test
  void stripsOfUnequalHeightSendWhatTheFormulasSay() {
    stripsSendWhatTheFormulasSay(3);
  }

  @Test
  void thePageHasTheseCounts() throws IOException {
    Path page = Path.of("../docs/methods/cost.md");
    assertThat(new CostPage(table).text()).as("run scripts/cost").isEqualTo(Files.readString(page));
  }
}
