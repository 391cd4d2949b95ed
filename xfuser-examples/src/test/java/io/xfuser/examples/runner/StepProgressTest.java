package io.xfuser.examples.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.PrimitiveIterator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class StepProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrimitiveIterator.OfLong times =
      LongStream.of(5, 1_255_000_005L, 1_755_000_005L).iterator();

  @Test
  void withoutATerminalEachStepIsALineWithItsTime() {
    show(false);
    assertThat(bytes.toString(UTF_8).lines())
        .containsExactly("step 1/3", "step 2/3, 1.26 s/step", "step 3/3, 0.50 s/step");
  }

  @Test
  void onATerminalOneLineIsRedrawnAndEndsComplete() {
    show(true);
    List<String> drawn = List.of(bytes.toString(UTF_8).split("\r"));
    assertThat(drawn.get(drawn.size() - 1))
        .contains("denoising 100%", "3/3", "0.50 s/step")
        .endsWith(System.lineSeparator());
    assertThat(bytes.toString(UTF_8)).containsOnlyOnce("\n");
  }

  private void show(boolean terminal) {
    PrintStream to = new PrintStream(bytes, true, UTF_8);
    try (StepProgress progress = new StepProgress(to, terminal, times::nextLong)) {
      progress.stepDone(1, 3);
      progress.stepDone(2, 3);
      progress.stepDone(3, 3);
    }
  }
}
