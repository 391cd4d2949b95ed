package io.xfuser.examples.gpucheck;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** What every experiment in a JVM of its own is told. */
final class Part {
  @Option(
      names = "--device",
      defaultValue = "cuda",
      description = "cuda; cpu tries the experiment without a GPU (default: ${DEFAULT-VALUE})")
  private GpuOrCpu kind = GpuOrCpu.CUDA;

  @Option(
      names = "--root",
      defaultValue = "..",
      description = "the folder of a checkout or a pack (default: ${DEFAULT-VALUE})")
  private Path root = Path.of("..");

  /** Kinds of devices. */
  enum GpuOrCpu {
    CUDA,
    CPU
  }

  boolean isCuda() {
    return kind == GpuOrCpu.CUDA;
  }

  /** Where it runs. */
  Setup setup() {
    return new Setup(isCuda(), root.toAbsolutePath().normalize(), "", List.of());
  }
}
