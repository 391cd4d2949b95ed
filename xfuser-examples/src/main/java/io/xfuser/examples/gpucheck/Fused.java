package io.xfuser.examples.gpucheck;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Own kernels ({@code --fused_kernels}) against libtorch's operators: pictures and steps. */
@Command(
    name = "fused",
    mixinStandardHelpOptions = true,
    description = "Own kernels against libtorch's operators.")
final class Fused implements Callable<Integer> {
  /** Of pixels between 0 and 1, in float32. */
  private static final double LAW = 1e-4;

  /** Own kernels round once where libtorch rounds after each operator. */
  private static final double HALF = 0.1;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  @Override
  public Integer call() throws IOException {
    if (!part.isCuda()) {
      findings.note("Left out: own kernels are for GPUs; FusedKernelsTest plays one on the CPU.");
      return 0;
    }
    GpuCheck.requireGpu(part);
    Torch.prepareThread(1);
    boolean equal = true;
    for (String model : List.of("flux_dev_tiny", "pixart_sigma_tiny", "sd35_medium_tiny")) {
      for (ElementType type : List.of(ElementType.FLOAT32, ElementType.BFLOAT16)) {
        equal &= compare(model, type);
      }
    }
    for (RealSize size : RealSize.ALL) {
      double plain = step(size, false);
      double own = step(size, true);
      findings.row("model", size.title(), "s/step, libtorch", plain, "own kernels", own);
      findings.decides(
          "own kernels are %s, and a step of %s takes %s in place of %s s",
          equal ? "right" : "**wrong**", size.title(), own, plain);
    }
    return equal ? 0 : 1;
  }

  private boolean compare(String model, ElementType type) {
    double difference = Machine.largest(draw(model, type, false), draw(model, type, true));
    boolean holds = difference <= (type == ElementType.FLOAT32 ? LAW : HALF);
    findings.row(
        "pipeline",
        model,
        "type",
        type.torchName(),
        "largest difference of pixels",
        difference,
        "",
        holds ? "holds" : "**broken**");
    return holds;
  }

  private float[] draw(String model, ElementType type, boolean own) {
    RuntimeConfig runtime =
        RuntimeConfig.builder().device(part.setup().shared()).dtype(type).fusedKernels(own).build();
    EngineConfig engine =
        EngineConfig.builder(part.setup().pipeline(model)).runtime(runtime).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      return Machine.draw(ranks);
    }
  }

  private double step(RealSize size, boolean own) throws IOException {
    RuntimeConfig runtime =
        Sizes.runtime(part, ParallelConfig.serial(), AttentionKernel.SDPA).toBuilder()
            .fusedKernels(own)
            .build();
    return Sizes.stepSeconds(part, size, runtime, Map.of());
  }
}
