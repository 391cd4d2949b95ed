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
      description = "cpu, or cuda, which is not supported yet (default: cpu)")
  String device = "cpu";

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

  @Option(
      names = "--shard_t5_encoder",
      description = "The ranks of a picture share its T5 text encoder (default: off)")
  boolean shardT5Encoder;

  @Option(names = "--use_torch_compile", description = "Not supported yet (default: off)")
  boolean torchCompile;
}
