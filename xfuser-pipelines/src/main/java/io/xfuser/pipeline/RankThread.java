package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.kernels.FusedKernels;
import io.xfuser.torchscript.Torch;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The thread on which a rank computes, for as long as the rank lives: libtorch keeps settings and a
 * pool of workers for each thread.
 */
final class RankThread implements AutoCloseable {
  private final ExecutorService executor;

  /** With {@code threads} per operation on the CPU, and libtorch's kernels. */
  RankThread(int rank, Device device, int threads) {
    this(rank, device, threads, () -> {});
  }

  /** With {@code kernels} for what they can. */
  RankThread(int rank, Device device, int threads, FusedKernels kernels) {
    this(rank, device, threads, kernels::enter);
  }

  private RankThread(int rank, Device device, int threads, Runnable first) {
    executor =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made =
                  new Thread(
                      () -> {
                        Torch.prepareThread(threads);
                        Gpus.enter(device);
                        first.run();
                        task.run();
                      },
                      "xfuser-rank-" + rank);
              made.setDaemon(true);
              return made;
            });
  }

  <T extends @Nullable Object> CompletableFuture<T> submit(Supplier<T> task) {
    return CompletableFuture.supplyAsync(task, executor);
  }

  /**
   * Threads per operation for each rank of this machine: {@code asked} if it is not 0, else what
   * OMP_NUM_THREADS says, else a share of the cores that this process may use, which are those of
   * its container or CPU set.
   *
   * @param localRanks ranks on this machine
   */
  static int threadsPerRank(int asked, Map<String, String> environment, int localRanks) {
    if (asked > 0) {
      return asked;
    }
    int cores = Runtime.getRuntime().availableProcessors();
    // One number, or a list of them by depth of nesting, of which the first is the outermost.
    String variable =
        environment.getOrDefault("OMP_NUM_THREADS", "").replaceFirst(",.*", "").strip();
    if (variable.matches("[1-9]\\d{0,5}")) {
      return Math.min(cores, Integer.parseInt(variable));
    }
    return Math.max(1, cores / localRanks);
  }

  @Override
  public void close() {
    executor.shutdown();
  }
}
