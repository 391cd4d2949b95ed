package io.xfuser.examples.bench;

import com.sun.management.OperatingSystemMXBean;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.ElementType;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Compares the CPU time of steps that a cache spares with that of the steps which it computes, in
 * the same requests. Prints a table; {@code scripts/bench/spared} runs it.
 */
@Command(name = "scripts/bench/spared", mixinStandardHelpOptions = true)
public final class SparedSteps implements Callable<Integer> {
  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private static final double ENDLESS = 1e9;

  @Option(names = "--directory", required = true, description = "the pipeline's directory")
  private Path directory = Path.of("");

  @Option(names = "--cache_calibration", required = true, description = "one that spares all")
  private Path calibration = Path.of("");

  @Option(names = "--dtype", defaultValue = "float32")
  private String dtype = "";

  @Option(names = "--size", defaultValue = "512", description = "pixels along each side")
  private int size;

  @Option(names = "--steps", defaultValue = "12")
  private int steps;

  /** Runs with the flags. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new SparedSteps()).execute(args));
  }

  /** Seconds of CPU time of steps that were computed and of those that were spared, sorted. */
  private record Steps(List<Double> computed, List<Double> spared) {
    /** The longer ones and the shorter ones, of which there are {@code spared}. */
    static Steps of(List<Double> seconds, int spared) {
      List<Double> sorted = new ArrayList<>(seconds);
      Collections.sort(sorted);
      return new Steps(sorted.subList(spared, sorted.size()), sorted.subList(0, spared));
    }

    private static double median(List<Double> sorted) {
      return sorted.get(sorted.size() / 2);
    }
  }

  @Override
  public Integer call() {
    ModelConfig model =
        ModelConfig.builder(directory).set(ModelConfig.CACHE_CALIBRATION, calibration).build();
    ElementType type = ElementType.valueOf(dtype.toUpperCase(Locale.ROOT));
    EngineConfig engine = EngineConfig.builder(model).runtime(r -> r.dtype(type)).build();
    try (XDiTParallel rank = XDiTParallel.inProcess(engine)) {
      System.out.println("| `--cache` | computed, CPU s | spared, CPU s | spared ÷ computed |");
      System.out.println("|---|---|---|---|");
      for (StepCache method : StepCache.values()) {
        if (method != StepCache.NONE) {
          print(method, measured(rank, method));
        }
      }
    }
    return 0;
  }

  private static void print(StepCache method, Steps taken) {
    double computed = Steps.median(taken.computed());
    double spared = Steps.median(taken.spared());
    System.out.printf(
        Locale.ROOT,
        "| `%s` | %.2f | %.4f | %.2f %% |%n",
        method.name().toLowerCase(Locale.ROOT),
        computed,
        spared,
        100 * spared / computed);
  }

  private Steps measured(XDiTParallel rank, StepCache method) {
    InputConfigBuilder request =
        InputConfig.builder("a fox")
            .size(size, size)
            .useResolutionBinning(false)
            .numInferenceSteps(steps)
            .outputType(OutputType.LATENT)
            .set(InputConfig.CACHE, method)
            .set(InputConfig.CACHE_WARMUP_STEPS, 1)
            .set(InputConfig.CACHE_MAX_CONTINUOUS, steps);
    if (method != StepCache.TAYLORSEER) {
      request.set(InputConfig.CACHE_THRESHOLD, ENDLESS);
    }
    List<Long> read = Collections.synchronizedList(new ArrayList<>()); // CPU time after each step
    int spared;
    try (Generation generation =
        rank.trace(
            request.build(),
            GivenTensors.NONE,
            progress -> {
              if (progress instanceof Progress.Denoising) {
                read.add(PROCESS.getProcessCpuTime());
              }
              return true;
            })) {
      spared = generation.report().ranks().get(0).sparedPasses();
    }
    List<Double> seconds = new ArrayList<>();
    for (int i = 1; i < read.size(); i++) {
      seconds.add((read.get(i) - read.get(i - 1)) / 1e9);
    }
    return Steps.of(seconds, spared);
  }
}
