package io.xfuser.examples.gpucheck;

import io.xfuser.cli.launch.LaunchPlan;
import io.xfuser.cli.launch.LaunchTopology;
import io.xfuser.cli.launch.Launcher;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Two ranks in JVMs of their own that share the first GPU, connected by NCCL, which allows that
 * from 2.30.3 on where NCCL_MULTI_RANK_GPU_ENABLE says so. On the CPU they are connected by
 * sockets.
 */
@Command(
    name = "nccl",
    mixinStandardHelpOptions = true,
    description = "Two JVMs that share a GPU, connected by NCCL.")
final class SharedGpu implements Callable<Integer> {
  /** In the environment of both ranks. */
  static final String ALLOWED = "NCCL_MULTI_RANK_GPU_ENABLE";

  private static final String NEEDED = "2.30.3";
  private static final int RANKS = 2;

  @Mixin private Part part = new Part();

  private final Findings findings = Findings.told();

  @Override
  public Integer call() throws IOException, InterruptedException {
    GpuCheck.requireGpu(part);
    if (part.isCuda()) {
      Optional<String> version = Machine.nccl();
      if (version.isEmpty() || !isAtLeast(version.get(), NEEDED)) {
        findings.note(
            "Left out: two ranks on one GPU need NCCL %s or later, and there is %s.",
            NEEDED, version.orElse("none"));
        return 0;
      }
    }
    LaunchPlan plan =
        new LaunchPlan(
            ConnectedRank.class.getName(),
            List.of(part.setup().device()),
            LaunchTopology.local(RANKS));
    int status = new Launcher(System.out, System.err).run(plan);
    findings.decides(
        status == 0
            ? (part.isCuda() ? "NCCL" : "a socket") + " connects two JVMs, and all arrives"
            : "**two JVMs that share a GPU are not connected**");
    return status;
  }

  /** Whether {@code version} is {@code least} or a later one; numbers with dots between. */
  static boolean isAtLeast(String version, String least) {
    return Arrays.compare(numbers(version), numbers(least)) >= 0;
  }

  private static int[] numbers(String version) {
    return Arrays.stream(version.split("\\.")).mapToInt(Integer::parseInt).toArray();
  }
}
