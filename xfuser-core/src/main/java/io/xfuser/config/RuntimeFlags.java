package io.xfuser.config;

import io.xfuser.torchscript.ElementType;
import picocli.CommandLine.Option;

/** How it runs, as written. */
final class RuntimeFlags {
  @Option(
      names = "--warmup_steps",
      paramLabel = "W",
      description = "First steps without stale activations in PipeFusion (default: 1)")
  int warmupSteps = 1;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      converter = Flags.DtypeConverter.class,
      description = "float32, bfloat16 or float16, also fp32, bf16, fp16 (default: float32)")
  ElementType dtype = ElementType.FLOAT32;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      converter = Flags.DeviceConverter.class,
      description =
          "cpu; cuda: each rank on the next GPU; cuda:i: all on that one; auto: cuda where there is"
              + " one, else cpu (default: auto)")
  DeviceChoice device = DeviceChoice.AUTO;

  @Option(
      names = "--enable_model_cpu_offload",
      description =
          "Text encoders, transformer and VAE are on the GPU only while they are used (default:"
              + " off)")
  boolean modelOffload;

  @Option(
      names = "--enable_sequential_cpu_offload",
      description =
          "Each of their layers is on the GPU only while it is used: least memory, much slower"
              + " (default: off)")
  boolean sequentialOffload;

  @Option(
      names = "--launcher",
      paramLabel = "KIND",
      description =
          "thread: the ranks are threads of one JVM; process: one JVM each (default: thread)")
  String launcher = "thread";

  @Option(
      names = "--enable_tiling",
      description = "The VAE decodes overlapping tiles, for less memory (default: off)")
  boolean tiling;

  @Option(
      names = "--enable_slicing",
      description = "The VAE decodes one picture at a time, for less memory (default: off)")
  boolean slicing;

  @Option(
      names = "--use_parallel_vae",
      description = "The ranks of a picture share its decoding (default: off)")
  boolean parallelVae;

  @Option(names = "--use_torch_compile", description = "Not supported yet (default: off)")
  boolean torchCompile;
}
