package io.xfuser.config;

import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How it runs, as written. */
final class RuntimeFlags {
  @Option(
      names = "--warmup_steps",
      paramLabel = "W",
      description =
          "First steps without stale activations in PipeFusion and DistriFusion (default: 1)")
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

  @Option(
      names = "--shard_t5_encoder",
      description = "The ranks of a picture share its T5 text encoder (default: off)")
  boolean shardT5Encoder;

  @Option(
      names = "--attention_backend",
      paramLabel = "KERNEL",
      converter = KernelConverter.class,
      description =
          "Kernel of self-attention: sdpa (libtorch's choice), sdpa_flash, sdpa_math, and on CUDA"
              + " sdpa_efficient and cudnn (default: the fastest)")
  AttentionKernel attentionKernel = AttentionKernel.FASTEST;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads of the CPU for each rank (default: OMP_NUM_THREADS, else cores divided by"
              + " ranks)")
  @Nullable Integer threads;

  @Option(
      names = "--use_torch_compile",
      description =
          "Refused: there is no Python to compile, DJL gives no access to CUDA graphs, and the"
              + " programs are fused by hand (default: off)")
  boolean torchCompile;

  /** Kernels by xDiT's names; as there, {@code None} and an empty text leave the choice open. */
  static final class KernelConverter implements ITypeConverter<AttentionKernel> {
    @Override
    public AttentionKernel convert(String value) {
      if (value.isEmpty() || value.equals(ForeignFlags.NONE)) {
        return AttentionKernel.FASTEST;
      }
      try {
        return AttentionKernel.of(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }
}
