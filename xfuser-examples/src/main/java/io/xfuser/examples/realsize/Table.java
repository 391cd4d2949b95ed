package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints what runs took, as Markdown; the last one is what others are compared with. */
@Command(name = "table", description = "Prints what runs took.")
final class Table implements Callable<Integer> {
  @Parameters(description = "files of measure")
  private List<Path> files = List.of();

  @Override
  public Integer call() throws IOException {
    List<Measured> runs = new ArrayList<>();
    for (Path file : files) {
      runs.add(new JsonMapper().readValue(file.toFile(), Measured.class));
    }
    lines(runs).forEach(System.out::println);
    return 0;
  }

  static List<String> lines(List<Measured> runs) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| type | phase | seconds | CPU seconds | ÷ CPU seconds in the last type | GB anonymous |");
    lines.add("|---|---|---|---|---|---|");
    Measured last = runs.get(runs.size() - 1);
    for (Measured run : runs) {
      for (int i = 0; i < run.phases().size(); i++) {
        MeasuredPhase phase = run.phases().get(i);
        lines.add(
            String.format(
                Locale.ROOT,
                "| %s | %s | %.1f | %.1f | %.2f | %.1f |",
                run.dtype(),
                phase.name(),
                phase.seconds(),
                phase.cpuSeconds(),
                phase.cpuSeconds() / last.phases().get(i).cpuSeconds(),
                phase.peakBytes() / 1e9));
      }
    }
    lines.add("");
    runs.forEach(run -> lines.add("- " + sentence(run)));
    return lines;
  }

  private static String sentence(Measured run) {
    String peak =
        String.format(Locale.ROOT, "at most %.1f GB of anonymous memory", run.peakBytes() / 1e9);
    Measured.Rates t5 = run.t5();
    if (t5 == null) {
      return run.dtype() + ": " + peak;
    }
    return String.format(
        Locale.ROOT,
        "%s: T5's products at %.1f GFLOP per CPU second, one in fp32 at %.1f: %.2f of it; %s",
        run.dtype(),
        t5.text() / 1e9,
        t5.product() / 1e9,
        t5.text() / t5.product(),
        peak);
  }
}
