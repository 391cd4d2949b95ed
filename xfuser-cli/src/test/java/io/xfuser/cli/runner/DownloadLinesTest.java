package io.xfuser.cli.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.progress.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.PrimitiveIterator;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DownloadLinesTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrimitiveIterator.OfLong seconds = LongStream.of(100, 129, 131, 140).iterator();

  @Test
  void withoutATerminalAFileIsALineAndOneEveryHalfMinute() {
    show(false);
    assertThat(bytes.toString(UTF_8).lines())
        .containsExactly(
            "downloading vae/w.safetensors (2.5 MB)",
            "downloading vae/w.safetensors  80% of 2.5 MB");
  }

  @Test
  void onATerminalAFileIsOneLineThatEndsComplete() {
    show(true);
    assertThat(bytes.toString(UTF_8).split("\r"))
        .startsWith("downloading vae/w.safetensors   0% of 2.5 MB")
        .endsWith("downloading vae/w.safetensors 100% of 2.5 MB" + System.lineSeparator())
        .hasSize(4);
  }

  private void show(boolean terminal) {
    PrintStream to = new PrintStream(bytes, true, UTF_8);
    DownloadLines lines =
        new DownloadLines(to, terminal, () -> TimeUnit.SECONDS.toNanos(seconds.nextLong()));
    for (long received : new long[] {0, 500_000, 2_000_000, 2_500_000}) {
      lines.progressed(new Progress.Downloading("vae/w.safetensors", received, 2_500_000));
    }
  }
}
