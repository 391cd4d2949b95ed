package io.xfuser.cli.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.progress.Progress;
import io.xfuser.progress.Progress.Encoding;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void withoutATerminalEachStepIsALineWithItsTime() {
    show(false);
    assertThat(bytes.toString(UTF_8).lines())
        .containsExactly("step 1/3, 2.00 s/step", "step 2/3, 1.26 s/step", "step 3/3, 0.50 s/step");
  }

  @Test
  @Timeout(20)
  void onATerminalOneLineIsRedrawnAndEndsComplete() {
    show(true);
    List<String> drawn = List.of(bytes.toString(UTF_8).split("\r"));
    assertThat(drawn)
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("denoising 100%", "3/3", "0.50 s/step")
                    .endsWith(System.lineSeparator()));
    assertThat(bytes.toString(UTF_8)).containsOnlyOnce("\n");
  }

  private void show(boolean terminal) {
    PrintStream to = new PrintStream(bytes, true, UTF_8);
    try (StepProgress progress = new StepProgress(to, terminal, () -> 0)) {
      double[] seconds = {0, 2, 1.255, 0.5};
      for (int step = 0; step < seconds.length; step++) {
        progress.progressed(new Progress.Denoising(step, 3, seconds[step]));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false, 4, ''", "false, 11, encoding the prompt: 2 of 48 layers", "true, 0.5, ''"})
  void whatTakesLongBesideTheStepsIsShown(boolean terminal, double seconds, String line) {
    LongSupplier clock = LongStream.of(0, 1, (long) (seconds * 1e9)).iterator()::nextLong;
    PrintStream to = new PrintStream(bytes, true, UTF_8);
    try (StepProgress progress = new StepProgress(to, terminal, clock)) {
      for (int layer = 0; layer < 3; layer++) {
        assertThat(progress.progressed(new Encoding(layer, 48))).isTrue();
      }
    }
    assertThat(bytes.toString(UTF_8).strip()).isEqualTo(line);
  }

  @Test
  void onATerminalALongPhaseHasABarOfItsOwn() {
    LongSupplier clock = LongStream.of(0, 2_000_000_000L, 3_000_000_000L).iterator()::nextLong;
    PrintStream to = new PrintStream(bytes, true, UTF_8);
    try (StepProgress progress = new StepProgress(to, true, clock)) {
      progress.progressed(new Encoding(0, 2));
      progress.progressed(new Encoding(1, 2));
      progress.progressed(new Encoding(2, 2));
      progress.progressed(new Progress.Denoising(1, 1, 1));
    }
    assertThat(bytes.toString(UTF_8).lines())
        .anyMatch(line -> line.contains("encoding the prompt 100%"))
        .last()
        .asString()
        .contains("denoising 100%");
  }
}
