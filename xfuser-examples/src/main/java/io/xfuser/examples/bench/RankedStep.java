package io.xfuser.examples.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.runtime.LoadedTransformer;
import io.xfuser.model.LatentShape;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/**
 * A denoising step on one or several ranks of this process, each on a thread of its own.
 *
 * @param <C> the model's conditioning
 */
final class RankedStep<C> implements Served.Variant, AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofMinutes(10);

  private final List<ExecutorService> threads = new ArrayList<>();
  private final List<RankStep<C>> ranks;
  private final LatentShape latents;

  /**
   * Sets up the ranks.
   *
   * @param size how many
   * @param threadsPerRank threads of each operation
   * @param device where they compute
   */
  RankedStep(
      LoadedTransformer<C> transformer,
      int size,
      int threadsPerRank,
      Device device,
      RankStep.StepShape shape,
      StepInput input) {
    this.latents = shape.latents();
    for (int rank = 0; rank < size; rank++) {
      threads.add(thread(rank, threadsPerRank));
    }
    InProcessRanks group = new InProcessRanks(size, TIMEOUT);
    this.ranks =
        onAll(
            rank ->
                new RankStep<>(
                    transformer, new World(group.transport(rank), device), shape, input));
  }

  private static ExecutorService thread(int rank, int threadsPerRank) {
    return Executors.newSingleThreadExecutor(
        task -> {
          Runnable prepared =
              () -> {
                Torch.prepareThread(threadsPerRank);
                task.run();
              };
          Thread thread = new Thread(prepared, "bench-rank-" + rank);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** The prediction as latents in diffusers' layout; returns when all ranks are done. */
  @Override
  public NDArray predict(NDManager owner) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> shards = new ArrayList<>(); // (B, l, c)
      for (NDArray own : onAll(rank -> ranks.get(rank).predict(scope))) {
        shards.add(own);
      }
      NDArray all = Patchify.assemble(scope, shards, ranks.get(0).layout()); // (B, L, c)
      return latents.visible(owner, all);
    }
  }

  private <T> List<T> onAll(IntFunction<T> work) {
    List<Future<T>> running = new ArrayList<>();
    for (int rank = 0; rank < threads.size(); rank++) {
      int self = rank;
      Callable<T> own = () -> work.apply(self);
      running.add(threads.get(rank).submit(own));
    }
    List<T> results = new ArrayList<>();
    for (Future<T> one : running) {
      try {
        results.add(one.get());
      } catch (ExecutionException e) {
        throw new IllegalStateException("a rank failed: " + e.getCause(), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while the ranks were at work", e);
      }
    }
    return results;
  }

  @Override
  public void close() {
    ranks.forEach(RankStep::close);
    threads.forEach(ExecutorService::shutdown);
  }
}
