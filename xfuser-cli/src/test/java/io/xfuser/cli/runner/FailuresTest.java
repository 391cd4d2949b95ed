package io.xfuser.cli.runner;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class FailuresTest {
  /** The JDK's table of time zones throws such a one where no file can be opened any more. */
  @Test
  void anErrorOfTheJdkIsOneSentenceToo() {
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    PrintStream err = new PrintStream(told, true, StandardCharsets.UTF_8);
    int status =
        new Failures("XDiT", List.of(), err)
            .statusOf(
                () -> {
                  throw new Error(new FileNotFoundException("tzdb.dat (Too many open files)"));
                });
    assertThat(status).isEqualTo(1);
    assertThat(told.toString(StandardCharsets.UTF_8).strip())
        .isEqualTo("XDiT: Error: tzdb.dat (Too many open files)");
  }
}
