package io.xfuser.examples.gpucheck;

import picocli.CommandLine.Option;

/** The kind of device that a part is about. */
final class DeviceOption {
  @Option(
      names = "--device",
      defaultValue = "cuda",
      description = "cuda; cpu tries the check itself without a GPU (default: ${DEFAULT-VALUE})")
  private GpuOrCpu kind = GpuOrCpu.CUDA;

  /** Kinds of devices. */
  enum GpuOrCpu {
    CUDA,
    CPU
  }

  boolean isCuda() {
    return kind == GpuOrCpu.CUDA;
  }

  /** For {@code --device} of a run whose ranks have a GPU each. */
  String each() {
    return isCuda() ? "cuda" : "cpu";
  }

  /** For {@code --device} of a run whose ranks share one. */
  String shared() {
    return isCuda() ? "cuda:0" : "cpu";
  }
}
