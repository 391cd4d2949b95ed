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
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Denoises one picture of 1024 by 1024 pixels with each {@link RealSize}, on one GPU and on all of
 * this machine, with random weights that are drawn on the GPUs.
 */
@Command(
    name = "sizes",
    mixinStandardHelpOptions = true,
    description = "Models of the size that people use, with random weights.")
final class Sizes implements Callable<Integer> {
  private static final double GIB = 1 << 30;

  /** Blocks, buffers and kernels are there after so many. */
  private static final int WARM_UP_STEPS = 2;

  @Mixin private DeviceOption device = new DeviceOption();
  @Mixin private Page page = new Page();

  @Override
  public Integer call() throws IOException {
    Torch.prepareThread(1);
    boolean gpu = device.isCuda();
    List<String> lines = new ArrayList<>();
    lines.add(
        gpu
            ? "1024 by 1024 pixels, random weights drawn on the GPU, one JVM; denoising alone,"
                + " without text encoders and VAE. Ranks are connected by copies between GPUs."
            : "A dry run on the CPU: 128 by 128 pixels, two steps, two heads and two blocks of each"
                + " kind. The numbers say nothing.");
    lines.add(
        "**Outside kernels**: one minus the mean of the utilization that nvidia-smi tells of"
            + " cuda:0");
    lines.add(
        "ten times a second, the share of time in which a kernel ran. **Memory**: the most that");
    lines.add("nvidia-smi saw taken there, what libtorch keeps for reuse included.");
    lines.add("");
    lines.addAll(
        Page.header(
            "model", "type", "layout", "steps", "s", "s/step", "memory, GiB", "outside kernels"));
    int gpus = Gpus.found().count();
    for (RealSize size : RealSize.ALL) {
      lines.add(measure(size, ParallelConfig.serial()));
      if (gpu && gpus > 1) {
        lines.add(measure(size, ParallelConfig.builder().ulyssesDegree(Math.min(gpus, 8)).build()));
      }
    }
    page.add("Sizes", lines);
    return 0;
  }

  private String measure(RealSize size, ParallelConfig layout) throws IOException {
    boolean gpu = device.isCuda();
    int side = gpu ? 1024 : 128;
    int steps = gpu ? size.steps() : WARM_UP_STEPS;
    String where = layout.worldSize() == 1 ? device.shared() : device.each();
    RuntimeConfig runtime =
        RuntimeConfig.builder().device(where).dtype(ElementType.BFLOAT16).build();
    Path folder = Files.createTempDirectory("gpu-check");
    EngineConfig engine = EngineConfig.builder(folder).runtime(runtime).parallel(layout).build();
    try (DiffusionPipeline pipeline = size.open(folder, runtime, !gpu);
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        NDManager manager = Torch.newManager()) {
      GivenTensors given = new GivenTensors(null, size.text().apply(manager));
      draw(ranks, size, side, WARM_UP_STEPS, given);
      long start = System.nanoTime();
      GpuWatch watch = gpu ? GpuWatch.of(GpuWatch.first()) : GpuWatch.none();
      try (watch) {
        draw(ranks, size, side, steps, given);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      return Page.row(
          size.title(),
          "bfloat16",
          layout.label(),
          Integer.toString(steps),
          String.format(Locale.ROOT, "%.2f", seconds),
          String.format(Locale.ROOT, "%.4f", seconds / steps),
          number("%.1f", watch.peakBytes(), GIB),
          number("%.0f %%", watch.outsideKernels(), 0.01));
    }
  }

  /** Draws; the latents' way to the host ends all of the GPU's work. */
  private static void draw(
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
    }
  }

  private static String number(String format, OptionalDouble value, double unit) {
    return value.isEmpty() ? "–" : String.format(Locale.ROOT, format, value.getAsDouble() / unit);
  }
}
