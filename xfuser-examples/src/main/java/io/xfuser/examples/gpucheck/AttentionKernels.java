package io.xfuser.examples.gpucheck;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.attention.LocalAttention;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.natives.Cudnn;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Times libtorch's kernels of attention and holds them, with their sums, to plain arithmetic. */
@Command(
    name = "kernels",
    mixinStandardHelpOptions = true,
    description = "Kernels of attention by head size and number of tokens.")
final class AttentionKernels implements Callable<Integer> {
  private static final Program ATTENTION = Program.load(LocalAttention.class, "attention.py");
  private static final int HEADS = 16;

  /** Of values of size 1, in bfloat16. */
  private static final double NEAR = 0.03;

  /** Log-sum-exps are computed in fp32, of equal inputs. */
  private static final double NEAR_SUM = 2e-3;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  /** One kernel on one shape. */
  private record Timed(AttentionKernel kernel, double millis, boolean right) {}

  @Override
  public Integer call() {
    GpuCheck.requireGpu(part);
    Measured measured = Measured.on(part);
    Cudnn.version().ifPresent(version -> findings.note("cuDNN %s", Cudnn.name(version)));
    boolean all = true;
    for (int head : part.isCuda() ? new int[] {128, 72, 64} : new int[] {72, 64}) {
      all &= decide(measured, head);
    }
    return all ? 0 : 1;
  }

  /** Measures all kernels with heads of one size. */
  private boolean decide(Measured measured, int head) {
    Map<AttentionKernel, List<Timed>> byKernel = new LinkedHashMap<>();
    int[] lengths = part.isCuda() ? new int[] {4608, 4429, 4096} : new int[] {40, 37};
    for (int tokens : lengths) {
      try (NDManager scope = Torch.newManager()) {
        NDArray packed = measured.normal(scope, 1, 1, tokens, 3, HEADS, head);
        NDList exact = partial(scope, packed, AttentionKernel.SDPA_MATH);
        for (AttentionKernel kernel : kernels(measured)) {
          byKernel
              .computeIfAbsent(kernel, x -> new ArrayList<>())
              .add(time(measured, kernel, packed, exact));
        }
      }
    }
    List<Timed> totals =
        byKernel.entrySet().stream()
            .map(
                one ->
                    new Timed(
                        one.getKey(),
                        one.getValue().stream().mapToDouble(Timed::millis).sum(),
                        one.getValue().stream().allMatch(Timed::right)))
            .sorted(Comparator.comparing(Timed::millis))
            .toList();
    tell(head, lengths, totals);
    // what libtorch chooses by itself is what is used: that must be right
    return totals.stream().allMatch(x -> x.kernel() != AttentionKernel.SDPA || x.right());
  }

  private List<AttentionKernel> kernels(Measured measured) {
    return List.of(AttentionKernel.values()).stream()
        .filter(kernel -> kernel != AttentionKernel.FASTEST)
        .filter(kernel -> kernel != AttentionKernel.SDPA_MATH || !part.isCuda())
        .filter(kernel -> kernel.refusal(part.isCuda(), measured.type()).isEmpty())
        .toList();
  }

  private Timed time(Measured measured, AttentionKernel kernel, NDArray packed, NDList exact) {
    long tokens = packed.getShape().get(1);
    long head = packed.getShape().get(4);
    String name = kernel.kernelName();
    try (NDManager scope = Torch.newManager()) {
      double millis =
          measured.millis(owner -> ATTENTION.call(owner, "local", packed, List.of(), 0, name));
      NDList found = partial(scope, packed, kernel);
      double values = Measured.largest(found.get(0), exact.get(0));
      double sums = Measured.largest(found.get(1), exact.get(1));
      boolean right = values < NEAR && sums < NEAR_SUM;
      findings.row(
          "head size",
          head,
          "tokens",
          tokens,
          "kernel",
          name,
          "ms",
          millis,
          "error of values",
          values,
          "error of log-sum-exps",
          sums,
          "",
          right ? "right" : "**wrong**");
      return new Timed(kernel, millis, right);
    } catch (RuntimeException e) {
      findings.note("%s takes no %s tokens with heads of %s: %s", name, tokens, head, Reason.of(e));
      return new Timed(kernel, Double.POSITIVE_INFINITY, false);
    }
  }

  private static NDList partial(NDManager owner, NDArray packed, AttentionKernel kernel) {
    return ATTENTION.callList(owner, "partial", packed, packed, List.of(), 0, kernel.kernelName());
  }

  private void tell(int head, int[] lengths, List<Timed> totals) {
    String numbers =
        totals.stream()
            .map(
                x ->
                    Numbers.format(
                        x.right() ? "%s %s" : "%s %s but wrong",
                        x.kernel().kernelName(),
                        x.millis() / lengths.length))
            .collect(Collectors.joining(", "));
    String fastest =
        totals.stream()
            .filter(x -> x.right() && x.kernel() != AttentionKernel.SDPA)
            .findFirst()
            .map(x -> x.kernel().kernelName() + " is to be the default for D = ")
            .orElse("no kernel is right for D = ");
    findings.decides(
        "%s%s: ms, %s (sdpa is libtorch's own choice)", fastest, String.valueOf(head), numbers);
  }
}
