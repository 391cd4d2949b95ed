package io.xfuser.examples.gpucheck;

import ai.djl.engine.Engine;
import io.xfuser.cli.flags.ReadableText;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.failure.Reason;
import io.xfuser.torchscript.Libtorch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * The experiments of {@code scripts/gpu-check}, one after another; by the name of one, that one
 * alone in this JVM, its {@link Findings} to standard output.
 */
@Command(
    name = "gpu-check",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Answers what only a GPU decides, and keeps each answer as it comes.",
    subcommands = {
      Machine.class,
      AttentionKernels.class,
      Sizes.class,
      Fusing.class,
      Fused.class,
      Compile.class,
      Events.class,
      StackSize.class,
      SharedGpu.class,
      Processes.class,
      Pack.class
    })
public final class GpuCheck implements Callable<Integer> {
  private static final int BROKEN = 1;
  private static final int REFUSED = 2;

  @Mixin private Part part = new Part();

  @Option(
      names = "--minutes",
      paramLabel = "N",
      description = "only what fits into so many minutes, in order (default: all)")
  private double minutes = Double.POSITIVE_INFINITY;

  @Option(
      names = "--parts",
      split = ",",
      paramLabel = "A,B",
      description = "only these, by name or number (default: all)")
  private List<String> parts = List.of();

  @Option(
      names = "--markdown",
      paramLabel = "FILE",
      defaultValue = "gpu-check.md",
      description = "the page; FILE.json beside it has the numbers (default: ${DEFAULT-VALUE})")
  private Path page = Path.of("gpu-check.md");

  @Option(
      names = "--pipelines",
      split = ",",
      paramLabel = "A,B",
      description = "the tiny pipelines for the laws (default: PixArt-Sigma, Flux and SD3.5)")
  private @Nullable List<String> pipelines;

  @Option(
      names = "--tests",
      paramLabel = "PATHS",
      defaultValue = "",
      hidden = true,
      description = "where the tests' classes are")
  private String tests = "";

  @Option(
      names = "--any_libtorch",
      description =
          "a libtorch of another version than DJL's native library was built for; it may end the"
              + " JVM, or be wrong without a word")
  private boolean anyLibtorch;

  /** Exits with 0; 1 if a law is broken or something fails; 2 if there is nothing to check. */
  public static void main(String[] arguments) {
    System.exit(run(System.err, arguments));
  }

  static int run(PrintStream err, String... arguments) {
    try {
      ReadableText.require(arguments);
    } catch (ArgumentException e) {
      err.println("gpu-check: " + e.getMessage());
      return REFUSED;
    }
    CommandLine command = new CommandLine(new GpuCheck());
    command.getCommandSpec().usageMessage().footer(footer());
    return command
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setAllowSubcommandsAsOptionParameters(true) // --parts names them
        .setParameterExceptionHandler((e, words) -> refuse(err, e))
        .setExecutionExceptionHandler(
            (e, one, words) -> {
              err.println("gpu-check: " + Reason.of(e));
              return e instanceof ArgumentException ? REFUSED : BROKEN;
            })
        .execute(arguments);
  }

  private static String[] footer() {
    List<String> lines =
        new ArrayList<>(List.of("", "Experiments, with their seconds on an H100:"));
    for (Experiment one : Experiment.ALL) {
      lines.add(
          "  %2d %-10s %4d  %s".formatted(one.number(), one.name(), one.seconds(), one.question()));
    }
    return lines.toArray(String[]::new);
  }

  private static int refuse(PrintStream err, ParameterException e) {
    err.println("gpu-check: " + Reason.of(e));
    return REFUSED;
  }

  @Override
  public Integer call() throws IOException {
    if (!(minutes > 0)) {
      throw new ArgumentException("--minutes must be more than 0, but is " + minutes);
    }
    Setup given = part.setup();
    Setup setup = new Setup(given.cuda(), given.root(), tests, pipelines());
    List<Experiment> chosen = chosen(parts);
    Results results = new Results(page, command(), warnings());
    int status = new Course(setup, results, System.err).run(chosen, minutes * 60);
    System.err.println("gpu-check: wrote " + results.files());
    return status;
  }

  /** Those that are named, in their order. */
  static List<Experiment> chosen(List<String> parts) {
    for (String name : parts) {
      if (Experiment.ALL.stream().noneMatch(one -> isNamed(one, name))) {
        throw new ArgumentException(
            "no experiment "
                + name
                + "; there are "
                + Experiment.ALL.stream().map(Experiment::name).collect(Collectors.joining(", ")));
      }
    }
    return Experiment.ALL.stream()
        .filter(one -> parts.isEmpty() || parts.stream().anyMatch(name -> isNamed(one, name)))
        .toList();
  }

  private static boolean isNamed(Experiment one, String name) {
    return one.name().equals(name) || String.valueOf(one.number()).equals(name);
  }

  private List<String> pipelines() {
    if (pipelines != null) {
      return pipelines;
    }
    return part.isCuda()
        ? List.of("pixart_sigma_tiny", "flux_dev_tiny", "sd35_medium_tiny")
        : List.of("dit_tiny");
  }

  private String command() {
    String named = parts.isEmpty() ? "" : " --parts " + String.join(",", parts);
    String time = Double.isFinite(minutes) ? " --minutes " + Numbers.text(minutes) : "";
    return "gpu-check --device " + part.setup().device() + named + time;
  }

  /** Says of a libtorch of another version that it is one, where that was asked for. */
  private List<String> warnings() {
    if (anyLibtorch) {
      System.setProperty(Libtorch.ANY, "true");
    }
    Optional<String> other = Libtorch.misfit();
    if (other.isPresent() && !anyLibtorch) {
      throw new ArgumentException(other.get() + " (--any_libtorch tries it nevertheless)");
    }
    List<String> warnings = new ArrayList<>(other.stream().toList());
    if (!part.isCuda()) {
      warnings.add("A dry run on the CPU, of small forms: what it decides says nothing of GPUs.");
    }
    warnings.forEach(sentence -> System.err.println("gpu-check: WARNING: " + sentence));
    return warnings;
  }

  /** Refuses a run for GPUs where libtorch finds none. */
  static void requireGpu(Part part) {
    if (part.isCuda() && Gpus.found().count() == 0) {
      throw new ArgumentException(
          "libtorch "
              + Engine.getEngine("PyTorch").getVersion()
              + " finds no GPU; --device cpu tries this check itself without one");
    }
  }
}
