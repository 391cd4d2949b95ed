package io.xfuser.examples.gpucheck;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.attention.LocalAttention;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * What is to be gained where elementwise operators are fused: a block of Flux less its matrix
 * products and its attention, GELU within a product, convolutions with channels last.
 */
@Command(
    name = "fusing",
    mixinStandardHelpOptions = true,
    description = "Flux's blocks less their products and attention; GELU; convolutions.")
final class Fusing implements Callable<Integer> {
  private static final Program ATTENTION = Program.load(LocalAttention.class, "attention.py");
  private static final int HEAD = 128;

  /** Blocks by which two models differ, so that the rest of a step cancels. */
  private static final int MORE = 4;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  /** The sizes of a block: C = {@code heads} · 128; and the tokens. */
  private record BlockSize(int heads, int image, int text) {
    int width() {
      return heads * HEAD;
    }
  }

  @Override
  public Integer call() throws IOException {
    GpuCheck.requireGpu(part);
    Measured measured = Measured.on(part);
    BlockSize size = part.isCuda() ? new BlockSize(24, 4096, 512) : new BlockSize(2, 64, 512);
    blocks(measured, size);
    gelu(measured, size);
    convolutions(measured);
    return 0;
  }

  private void blocks(Measured measured, BlockSize size) throws IOException {
    int all = size.image() + size.text();
    int width = size.width();
    double attention;
    double bandwidth; // bytes a millisecond, read and written
    try (NDManager scope = Torch.newManager()) {
      NDArray packed = measured.normal(scope, 1, 1, all, 3, size.heads(), HEAD);
      String kernel = AttentionKernel.SDPA.kernelName();
      attention = measured.millis(x -> ATTENTION.call(x, "local", packed, List.of(), 0, kernel));
      NDArray x = measured.normal(scope, 1, all, width);
      bandwidth =
          2.0
              * ElementType.bytesOf(x)
              / measured.millis(owner -> Measured.PROGRAM.call(owner, "copied", x));
    }
    double perActivation = 2.0 * all * width / bandwidth * measured.type().bytes();
    double in = product(measured, size.image(), width, 3L * width);
    double out = product(measured, size.image(), width, width);
    double up = product(measured, size.image(), width, 4L * width);
    double down = product(measured, size.image(), 4L * width, width);
    double text =
        product(measured, size.text(), width, 3L * width)
            + product(measured, size.text(), width, width)
            + product(measured, size.text(), width, 4L * width)
            + product(measured, size.text(), 4L * width, width);
    double scale = (double) all / size.image(); // a single block's image and text are one
    double base = step(1, 1);
    tell(
        "double",
        (step(1 + MORE, 1) - base) / MORE,
        new double[] {in + out + up + down + text, attention, perActivation});
    tell(
        "single",
        (step(1, 1 + MORE) - base) / MORE,
        new double[] {(in + out + up + down) * scale, attention, perActivation});
  }

  /** {@code known}: milliseconds of products, of attention, and of reading and writing (L, C). */
  private void tell(String block, double millis, double[] known) {
    double rest = millis - known[0] - known[1];
    findings.row(
        "block of Flux",
        block,
        "ms",
        millis,
        "products",
        known[0],
        "attention",
        known[1],
        "rest",
        rest,
        "rest in activations read and written",
        rest / known[2]);
    findings.decides(
        "fusing saves at most %s of %s ms in Flux's %s block, the time of %s activations",
        rest, millis, block, rest / known[2]);
  }

  private static double product(Measured measured, long rows, long inputs, long outputs) {
    try (NDManager scope = Torch.newManager()) {
      NDArray x = measured.normal(scope, 1, rows, inputs);
      NDArray w = measured.normal(scope, 0.02, outputs, inputs);
      NDArray b = measured.normal(scope, 0.02, outputs);
      return measured.millis(owner -> Measured.PROGRAM.call(owner, "product", x, w, b));
    }
  }

  /** Milliseconds of a step of Flux with so many blocks. */
  private double step(int doubles, int singles) throws IOException {
    return 1000
        * Sizes.stepSeconds(
            part,
            RealSize.ALL.get(0),
            Sizes.runtime(part, ParallelConfig.serial(), AttentionKernel.SDPA),
            Map.of("num_layers", doubles, "num_single_layers", singles));
  }

  private void gelu(Measured measured, BlockSize size) {
    try (NDManager scope = Torch.newManager()) {
      NDArray x = measured.normal(scope, 1, size.image(), size.width());
      NDArray w = measured.normal(scope, 0.02, 4L * size.width(), size.width());
      NDArray b = measured.normal(scope, 0.02, 4L * size.width());
      double after = measured.millis(owner -> Measured.PROGRAM.call(owner, "gelu_after", x, w, b));
      double within =
          measured.millis(owner -> Measured.PROGRAM.call(owner, "gelu_within", x, w, b));
      double error =
          Measured.largest(
              Measured.PROGRAM.call(scope, "gelu_after", x, w, b),
              Measured.PROGRAM.call(scope, "gelu_within", x, w, b));
      findings.row(
          "GELU, ms", "", "after the product", after, "within it", within, "difference", error);
      findings.decides(
          "GELU is to be %s: %s against %s ms, largest difference %s",
          within < after ? "within the product (_addmm_activation)" : "after the product",
          Math.min(within, after),
          Math.max(within, after),
          error);
    }
  }

  private void convolutions(Measured measured) {
    long[][] shapes =
        part.isCuda()
            ? new long[][] {{512, 128}, {512, 256}, {256, 512}, {128, 1024}}
            : new long[][] {{8, 16}};
    double first = 0;
    double last = 0;
    for (long[] shape : shapes) {
      try (NDManager scope = Torch.newManager()) {
        NDArray x = measured.normal(scope, 1, 1, shape[0], shape[1], shape[1]);
        NDArray w = measured.normal(scope, 0.02, shape[0], shape[0], 3, 3);
        NDArray xLast = Measured.PROGRAM.call(scope, "last", x);
        NDArray wLast = Measured.PROGRAM.call(scope, "last", w);
        double plain = measured.millis(owner -> Measured.PROGRAM.call(owner, "convolved", x, w));
        double turned =
            measured.millis(owner -> Measured.PROGRAM.call(owner, "convolved", xLast, wLast));
        findings.row(
            "channels", shape[0], "side", shape[1], "channels first, ms", plain, "last", turned);
        first += plain;
        last += turned;
      }
    }
    findings.decides(
        "the VAE's channels are to be %s on GPUs: %s against %s ms",
        last < first ? "last" : "first", Math.min(first, last), Math.max(first, last));
  }
}
