package io.xfuser.examples.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A small form of {@code scripts/checks/serve_load}, in which the refused still come back. */
class ServeLoadTest {
  @Test
  void manyClientsSomeOfWhomLeaveGetThePicturesOfTheirSeeds()
      throws IOException, InterruptedException {
    ServeLoad.Outcome outcome = ServeLoad.run(Path.of("demo-model"), 12, Duration.ofSeconds(1));
    assertThat(outcome.wrong()).isEmpty();
    assertThat(outcome.drawn()).isPositive();
    assertThat(outcome.hungUp()).isPositive();
    assertThat(outcome.refused()).isPositive();
    assertThat(outcome.cameBack()).isPositive();
  }
}
