package io.xfuser.examples.gpucheck;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code scripts/bench/step} beside diffusers, eager and by torch.compile, where there is a Python
 * that has diffusers: the one that XFUSER_BENCH_PYTHON names, or python3. Nothing is installed.
 */
@Command(
    name = "compile",
    mixinStandardHelpOptions = true,
    description = "A step beside diffusers, eager and by torch.compile.")
final class Compile implements Callable<Integer> {
  private static final String VERSIONS =
      "import diffusers, safetensors, torch; print(diffusers.__version__, torch.__version__,"
          + " torch.cuda.is_available())";

  /** {@code **0.850** (0.84–0.86)}. */
  private static final Pattern RATIO = Pattern.compile("\\*\\*([0-9.]+)\\*\\*.*");

  private static final String RATIOS = "ratio of times (quartiles)";

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  @Override
  public Integer call() throws IOException, InterruptedException {
    String named = System.getenv("XFUSER_BENCH_PYTHON");
    String python = named == null || named.isBlank() ? "python3" : named;
    List<String> versions = Commands.lines(python, "-c", VERSIONS);
    if (versions.isEmpty()) {
      findings.note(
          "Left out: %s has no diffusers with torch and safetensors; XFUSER_BENCH_PYTHON names a"
              + " Python that has.",
          python);
      return 0;
    }
    findings.note("diffusers, torch, whether it finds a GPU: %s", versions.get(0));
    if (part.isCuda() && !versions.get(0).endsWith("True")) {
      findings.note("Left out: that torch finds no GPU.");
      return 0;
    }
    for (String model : part.isCuda() ? List.of("flux", "pixart", "sd3") : List.of("dit")) {
      int status = step(python, model);
      if (status != 0) {
        return status;
      }
    }
    return 0;
  }

  private int step(String python, String model) throws IOException, InterruptedException {
    Path bench = part.setup().root().resolve("scripts/bench/step.py");
    List<String> command = new ArrayList<>(List.of(python, bench.toString(), model));
    command.addAll(
        part.isCuda()
            ? List.of("--device", "cuda", "--side", "128", "--dtypes", "bfloat16", "--rounds", "10")
            : List.of("--side", "16", "--dtypes", "float32", "--rounds", "1", "--no-compile"));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    builder.environment().put("XFUSER_BENCH_JAVA", java.toString());
    builder.environment().put("XFUSER_BENCH_CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    List<String> table = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      lines.lines().filter(line -> line.startsWith("|")).forEach(table::add);
    }
    tell(model, rows(table));
    return process.waitFor();
  }

  /** The rows of a table in Markdown, each by its titles. */
  static List<Map<String, String>> rows(List<String> table) {
    List<Map<String, String>> rows = new ArrayList<>();
    for (int i = 2; i < table.size(); i++) {
      String[] titles = table.get(0).split("\\|", -1);
      String[] cells = table.get(i).split("\\|", -1);
      Map<String, String> row = new HashMap<>();
      for (int j = 1; j < titles.length - 1; j++) {
        row.put(titles[j].strip(), j < cells.length ? cells[j].strip() : "");
      }
      rows.add(row);
    }
    return rows;
  }

  private void tell(String model, List<Map<String, String>> rows) {
    Map<String, Double> ratios = new HashMap<>(); // to diffusers eager, by variant
    for (Map<String, String> row : rows) {
      String variant = row.getOrDefault("step", "");
      findings.row(
          "model",
          model,
          "step",
          variant,
          "type",
          row.getOrDefault("type", ""),
          "s",
          row.getOrDefault("median seconds", ""),
          "÷ " + row.getOrDefault("compared with", ""),
          row.getOrDefault(RATIOS, ""),
          "difference",
          row.getOrDefault("mean difference from eager", ""));
      ratio(row).ifPresent(ratio -> ratios.put(variant, ratio));
    }
    if (!ratios.containsKey("ours")) {
      return;
    }
    double ours = Objects.requireNonNull(ratios.get("ours"));
    Optional.ofNullable(ratios.get("diffusers, torch.compile"))
        .ifPresentOrElse(
            compiled ->
                findings.decides(
                    "%s: our step takes %s of diffusers' time, torch.compile's %s: %s of it",
                    model, ours, compiled, ours / compiled),
            () -> findings.decides("%s: our step takes %s of diffusers' time", model, ours));
  }

  private static Optional<Double> ratio(Map<String, String> row) {
    Matcher matcher = RATIO.matcher(row.getOrDefault(RATIOS, ""));
    return matcher.matches() ? Optional.of(Double.valueOf(matcher.group(1))) : Optional.empty();
  }
}
