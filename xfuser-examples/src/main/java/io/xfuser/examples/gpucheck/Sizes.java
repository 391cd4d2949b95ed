package io.xfuser.examples.gpucheck;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.Gpus;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Denoises one picture of 1024 by 1024 pixels with each {@link RealSize}, on one GPU and on all of
 * this machine, with random weights that are drawn on the GPUs. The kernel of attention is named,
 * because another libtorch may choose another.
 */
@Command(
    name = "sizes",
    mixinStandardHelpOptions = true,
    description = "Models of the size that people use, with random weights.")
final class Sizes implements Callable<Integer> {
  private static final double GIB = 1 << 30;

  /** Blocks, buffers and kernels are there after so many. */
  private static final int WARM_UP_STEPS = 2;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  /** What a picture took: seconds in all and by step on the device's clock, and what was seen. */
  private record Drawn(double seconds, double stepSeconds, GpuWatch watch) {}

  @Override
  public Integer call() throws IOException {
    GpuCheck.requireGpu(part);
    Torch.prepareThread(1);
    findings.note(
        part.isCuda()
            ? "1024 by 1024 pixels, bfloat16, random weights; denoising alone. **s/step** is by the"
                + " GPU's clock. **Outside kernels**: one minus the utilization that nvidia-smi"
                + " tells of the first GPU ten times a second; **memory**: the most that it saw"
                + " taken, what libtorch keeps for reuse included."
            : "A dry run: 128 by 128 pixels, two steps, two heads and two blocks of each kind.");
    for (RealSize size : RealSize.ALL) {
      double fastest = Double.POSITIVE_INFINITY;
      for (AttentionKernel kernel : kernels()) {
        fastest = Math.min(fastest, measure(size, ParallelConfig.serial(), kernel));
      }
      int gpus = Gpus.found().count();
      if (part.isCuda() && gpus > 1) {
        ParallelConfig ulysses = ParallelConfig.builder().ulyssesDegree(Math.min(gpus, 8)).build();
        double unused = measure(size, ulysses, kernels().get(0));
      }
      findings.decides("a step of %s takes %s s on one device", size.title(), fastest);
    }
    return 0;
  }

  private List<AttentionKernel> kernels() {
    return part.isCuda()
        ? List.of(AttentionKernel.SDPA_FLASH, AttentionKernel.CUDNN)
        : List.of(AttentionKernel.FASTEST);
  }

  private double measure(RealSize size, ParallelConfig layout, AttentionKernel kernel)
      throws IOException {
    int steps = part.isCuda() ? size.steps() : WARM_UP_STEPS;
    Drawn drawn = draw(part, size, runtime(part, layout, kernel), layout, Map.of(), steps);
    findings.row(
        "model", size.title(),
        "layout", layout.label(),
        "kernel", kernel.kernelName(),
        "steps", steps,
        "s", drawn.seconds(),
        "s/step", drawn.stepSeconds(),
        "memory, GiB", number("%.1f", drawn.watch().peakBytes(), GIB),
        "outside kernels", number("%.0f %%", drawn.watch().outsideKernels(), 0.01));
    return drawn.stepSeconds();
  }

  /** In bfloat16, on one device where there is one rank. */
  static RuntimeConfig runtime(Part part, ParallelConfig layout, AttentionKernel kernel) {
    Setup setup = part.setup();
    return RuntimeConfig.builder()
        .device(layout.worldSize() == 1 ? setup.shared() : setup.device())
        .dtype(ElementType.BFLOAT16)
        .attentionBackend(kernel)
        .build();
  }

  /** The median step on one device of a model some of whose numbers are others. */
  static double stepSeconds(
      Part part, RealSize size, RuntimeConfig runtime, Map<String, Integer> other)
      throws IOException {
    int steps = part.isCuda() ? 6 : WARM_UP_STEPS;
    return draw(part, size, runtime, ParallelConfig.serial(), other, steps).stepSeconds();
  }

  private static Drawn draw(
      Part part,
      RealSize size,
      RuntimeConfig runtime,
      ParallelConfig layout,
      Map<String, Integer> other,
      int steps)
      throws IOException {
    int side = part.isCuda() ? 1024 : 128;
    Map<String, Integer> numbers = new HashMap<>(part.isCuda() ? Map.of() : RealSize.SMALL);
    numbers.putAll(other);
    Path folder = part.setup().pipeline(size.tiny());
    EngineConfig engine = EngineConfig.builder(folder).runtime(runtime).parallel(layout).build();
    try (DiffusionPipeline pipeline = size.open(runtime, numbers, part.setup());
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        NDManager manager = Torch.newManager()) {
      GivenTensors given = new GivenTensors(null, size.text().apply(manager));
      double unused = draw(ranks, size, side, WARM_UP_STEPS, given);
      long start = System.nanoTime();
      GpuWatch watch = part.isCuda() ? GpuWatch.of(GpuWatch.first()) : GpuWatch.none();
      double step;
      try (watch) {
        step = draw(ranks, size, side, steps, given);
      }
      return new Drawn((System.nanoTime() - start) / 1e9, step, watch);
    }
  }

  /** Draws, and gives the median of the seconds of a step. */
  private static double draw(
      XDiTParallel ranks, RealSize size, int side, int steps, GivenTensors given) {
    try (Generation generation =
        ranks.generate(size.input(side, steps), given, ProgressListener.NONE)) {
      NDArray latents = generation.tensor();
      try (NDManager scope = Torch.newManager()) {
        float[] values =
            Torch.contiguous(scope, Torch.cast(scope, latents, ElementType.FLOAT32)).toFloatArray();
        if (!Float.isFinite(values[0])) {
          throw new IllegalStateException(size.title() + " with random weights is not finite");
        }
      }
      return Numbers.median(
          generation.report().ranks().get(0).stepSeconds().stream()
              .mapToDouble(Double::doubleValue)
              .toArray());
    }
  }

  private static String number(String format, OptionalDouble value, double unit) {
    return value.isEmpty() ? "–" : String.format(Locale.ROOT, format, value.getAsDouble() / unit);
  }
}
